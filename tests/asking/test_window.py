"""The client and the asking against a real local server; nothing sleeps for real."""

import asyncio
import itertools
import json
from collections import Counter
from dataclasses import replace

import pytest
from aiohttp import web

from axolotl_augft.asking.feed import StoredCounts, count_requests
from axolotl_augft.asking.pacing.pace import Pace
from axolotl_augft.asking.round import Round, RoundCounts
from axolotl_augft.asking.window import ask
from axolotl_augft.errors import StoreError, TeacherError, TeacherRefusedAccess, TeacherUnreachable
from axolotl_augft.teacher.answer import Answer, Failure, Outcome
from axolotl_augft.teacher.client import Client, Server, open_session, quotes, read_answer
from axolotl_augft.teacher.request import Prefix, Request, Sampling
from axolotl_augft.teacher.spending import Spent
from tests.support.asking import Quiet
from tests.support.teacher_server import TeacherServer, prompt_of

PREFIX = Prefix("", "the facts of the house of Ennis are many. ")
SECRET = "sk-planted-secret"


def request(target, api="chat", stop=()):
    return Request("t", api, PREFIX, target, Sampling(0.0, None, 16, stop, 1), 0)


def requests(n):
    return [request(f"number {i}") for i in range(n)]


def run(server, some, store, concurrency=4, retries=3, check=lambda: None, waits=None, trusted=False):
    async def sleep(seconds):
        if waits is not None:
            waits.append(seconds)

    pace = Pace(concurrency, retries, check, sleep, jitter=lambda: 1.0)
    base = server.base_url if isinstance(server, TeacherServer) else server
    return ask(iter(some), Round(Server(base, "m", 5.0, SECRET), store, pace, Quiet(), trusted))


@pytest.fixture
def server():
    with TeacherServer(answer=lambda body: "yes: " + prompt_of(body)[-8:], key=SECRET) as running:
        yield running


def fails(times, response):
    """Misbehaves `times` times for each prompt."""
    seen = {}

    async def handler(_, body):
        key = prompt_of(body)
        seen[key] = seen.get(key, 0) + 1
        return response() if seen[key] <= times else None

    return handler


def test_every_request_is_asked_once_and_stored(server, store):
    some = requests(50)
    asked = run(server, [*some, *some], store)
    assert (asked.answered, asked.total, len(server.bodies)) == (50, 50, 50)
    assert [a.text for a in store.get(some)] == ["yes: " + r.target[-8:] for r in some]
    assert asked.spent.completion_tokens > 0
    again = count_requests(iter([*some, request("new"), request("new")]), store)
    assert again == StoredCounts(total=51, missing=1, answered=50, spent=asked.spent)
    assert run(server, some, store).total == 0 and len(server.bodies) == 50


def test_the_window_slides(server, store):
    server.delay = 0.05
    run(server, requests(30), store, concurrency=6)
    assert server.most_in_flight == 6


def test_body_of_chat_and_completions(server, store):
    run(server, [request("A.", "completions", ("###",)), request("B.")], store, concurrency=1)
    completion, chat = server.bodies
    assert completion == {
        "model": "m",
        "max_tokens": 16,
        "temperature": 0.0,
        "seed": 1,
        "stop": ["###"],
        "prompt": PREFIX.text + "A.",
    }
    assert chat["messages"] == [{"role": "user", "content": PREFIX.text + "B."}]
    assert server.headers[0]["Authorization"] == f"Bearer {SECRET}"


PASSING = {
    "429": lambda: web.Response(status=429),
    "500": lambda: web.Response(status=500, text="<html>oops"),
    "503": lambda: web.json_response({"error": "busy"}, status=503),
    "not json": lambda: web.Response(text="hello", content_type="text/html"),
}


@pytest.mark.parametrize("name", PASSING)
def test_a_passing_failure_is_tried_again(server, store, name):
    server.misbehave = fails(2, PASSING[name])
    waits = []
    asked = run(server, requests(3), store, waits=waits)
    assert (asked.answered, asked.failed.total(), len(server.bodies)) == (3, 0, 9)
    assert sorted(waits) == [0.5] * 3 + [1.0] * 3


def test_retry_after_is_honoured(server, store):
    server.misbehave = fails(1, lambda: web.Response(status=429, headers={"Retry-After": "17"}))
    waits = []
    run(server, requests(1), store, waits=waits)
    assert waits == [17.0]


def test_retries_are_finite_and_a_failure_is_never_an_answer(server, store):
    async def one_is_bad(_, body):
        return web.Response(status=500) if prompt_of(body).endswith("number 3") else None

    server.misbehave = one_is_bad
    some = requests(6)
    asked = run(server, some, store, retries=2)
    assert (asked.answered, dict(asked.failed)) == (5, {"HTTP 500": 1})
    assert store.get(some)[3] is None
    server.misbehave = None
    assert run(server, some, store).answered == 1


@pytest.mark.parametrize("content", [7, [7], [{"type": "text"}], [{"type": "text", "text": 7}]])
def test_an_answer_of_unknown_shape_is_not_paid_for_again_and_again(server, store, content):
    server.misbehave = fails(99, lambda: web.json_response({"choices": [{"message": {"content": content}}]}))
    asked = run(server, requests(1), store, retries=6)
    assert dict(asked.failed) == {"wrong shape": 1} and len(server.bodies) == 2


def test_a_broken_connection_is_tried_again(server, store):
    dropped = itertools.count()

    async def drop(http, body):
        if next(dropped) == 2:
            http.transport.abort()
            await asyncio.sleep(0)

    server.misbehave = drop
    assert run(server, requests(5), store).answered == 5


@pytest.mark.parametrize("status", [401, 403, 402])
def test_refused_access_ends_the_run_at_once(server, store, status):
    server.misbehave = fails(99, lambda: web.json_response({"error": {"message": f"bad key {SECRET}"}}, status=status))
    with pytest.raises(TeacherRefusedAccess) as caught:
        run(server, requests(20), store)
    assert len(server.bodies) == 1
    assert f"HTTP {status}" in str(caught.value) and SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "said",
    [
        {"message": "x" * 190 + SECRET},
        {"message": "no", "code": SECRET},
        {"message": "no", "code": SECRET[:4] + "\u200b" + SECRET[4:]},
        {"message": " ".join(SECRET.upper())},
        {"message": f"Incorrect API key provided: {SECRET[:-1]}*"},
    ],
)
def test_no_part_of_the_key_is_shown_or_stored(server, store, said):
    server.misbehave = fails(99, lambda: web.json_response({"error": said}, status=400))
    run(server, requests(1), store, trusted=True)
    assert store.get(requests(1))[0].finish_reason == "HTTP 400"
    with pytest.raises(TeacherError) as caught:
        run(server, [request("another")], store)
    assert SECRET[:5] not in str(caught.value)


def test_access_refused_in_the_middle_keeps_what_came(server, store):
    served = itertools.count()

    async def later(_, body):
        return web.json_response({}, status=401) if next(served) >= 10 else None

    server.misbehave = later
    some = requests(40)
    with pytest.raises(TeacherRefusedAccess):
        run(server, some, store)
    assert sum(a is not None for a in store.get(some)) == 10


def test_refused_access_lets_what_is_in_flight_end_and_stores_it(server, store):
    others = asyncio.Event()

    async def one_is_refused(_, body):
        if len(server.bodies) == 8:
            others.set()
        await others.wait()
        if prompt_of(body).endswith("number 3"):
            return web.json_response({}, status=401)
        await asyncio.sleep(0.3)

    server.misbehave = one_is_refused
    some = requests(40)
    with pytest.raises(TeacherRefusedAccess):
        run(server, some, store, concurrency=8)
    assert [a is not None for a in store.get(some)] == [i < 8 and i != 3 for i in range(40)] and len(server.bodies) == 8


def test_no_credit_is_final(server, store):
    server.misbehave = fails(99, lambda: web.json_response({"error": {"code": "insufficient_quota"}}, status=429))
    with pytest.raises(TeacherRefusedAccess, match="insufficient_quota"):
        run(server, requests(5), store)
    assert len(server.bodies) == 1


def test_unknown_model_ends_the_run(server, store):
    server.misbehave = fails(99, lambda: web.json_response({"error": {"message": "no such model"}}, status=404))
    with pytest.raises(TeacherError, match=r"does not know model 'm' .*HTTP 404, no such model"):
        run(server, requests(5), store)


def test_unreachable_server_is_found_out_with_three_tries(store):
    with pytest.raises(TeacherUnreachable, match="cannot be reached"):
        run("http://127.0.0.1:9/v1", requests(5), store)


def test_a_server_that_goes_away_ends_the_run(server, store):
    served = itertools.count()

    async def gone(http, body):
        if next(served) >= 5:
            http.transport.abort()
            await asyncio.sleep(0)

    server.misbehave = gone
    some = requests(60)
    with pytest.raises(TeacherUnreachable, match="8 requests in a row failed"):
        run(server, some, store, retries=1)
    assert sum(a is not None for a in store.get(some)) == 5


def test_content_filter_and_invalid_requests_are_final_outcomes(server, store):
    async def some_are_refused(_, body):
        prompt = prompt_of(body)
        if prompt.endswith("number 1"):
            return web.json_response({"error": {"code": "content_filter"}}, status=400)
        if prompt.endswith("number 2"):
            return web.json_response({"error": {"message": "too long"}}, status=400)
        if prompt.endswith("number 3"):
            return web.json_response(server.reply(body, "", "content_filter"))

    server.misbehave = some_are_refused
    some = requests(5)
    asked = run(server, some, store)
    assert (asked.answered, asked.filtered, asked.invalid) == (2, 2, 1)
    outcomes = [a.outcome for a in store.get(some)]
    assert outcomes == [Outcome.ANSWERED, Outcome.FILTERED, Outcome.INVALID, Outcome.FILTERED, Outcome.ANSWERED]
    assert run(server, some, store).total == 0


def test_a_setting_that_makes_all_requests_invalid_is_found_out_and_not_stored(server, store):
    server.misbehave = fails(99, lambda: web.json_response({"error": {"message": "unknown field seed"}}, status=400))
    some = requests(30)
    with pytest.raises(TeacherError, match="calls the first 8 requests invalid .*unknown field seed"):
        run(server, some, store, concurrency=1)
    assert store.get(some) == [None] * 30
    with pytest.raises(TeacherError, match="calls the first 2 requests invalid"):
        run(server, some[:2], store)


def test_where_such_requests_were_answered_before_invalid_ones_are_stored(server, store):
    server.misbehave = fails(99, lambda: web.json_response({"error": {"message": "too long"}}, status=400))
    some = requests(3)
    assert run(server, some, store, trusted=True).invalid == 3
    assert [a.outcome for a in store.get(some)] == [Outcome.INVALID] * 3


def test_a_twin_in_the_next_batch_is_not_asked_again(server, store):
    last_arrived = asyncio.Event()

    async def answer_the_twin_last(_, body):
        if prompt_of(body).endswith("number 504"):
            last_arrived.set()
        if prompt_of(body).endswith("number 499"):
            await last_arrived.wait()

    server.misbehave = answer_the_twin_last
    some = requests(505)
    run(server, [*some[:500], some[499], *some[500:]], store, concurrency=8)
    assert len(server.bodies) == 505


def test_errors_quote_no_text_of_the_data(server, store):
    server.misbehave = fails(
        99, lambda: web.json_response({"error": {"message": "bad: " + PREFIX.text + "number 0"}}, status=404)
    )
    with pytest.raises(TeacherError) as caught:
        run(server, requests(1), store)
    assert "Ennis" not in str(caught.value)


@pytest.mark.parametrize(
    ("message", "prompt", "quoted"),
    [
        ("no such model", "The facts of the house.", False),
        ("bad: The facts of the house of E…", "These are THE FACTS, of the house of Ennis.", True),
        ("bad input: 港の責任者は", "港の責任者はマーラです。", True),
        ("bad input: 船", "港の責任者はマーラです。", False),
    ],
)
def test_what_counts_as_a_quotation(message, prompt, quoted):
    assert quotes(message, prompt) is quoted


def test_a_gone_managed_server_is_reported_by_its_own_error(server, store):
    def check():
        raise TeacherError("it died; last lines …")

    with pytest.raises(TeacherError, match="it died"):
        run("http://127.0.0.1:9/v1", requests(2), store, check=check)


def test_a_store_that_cannot_be_written_ends_the_run(server, store, monkeypatch):
    store._writer.execute("PRAGMA max_page_count = 1")
    with pytest.raises(StoreError, match="full"):
        run(server, requests(200), store)


def test_stop_sequences_hold_even_where_the_server_ignores_them():
    answer = read_answer(
        request("A.", "completions", ("###",)), b'{"choices": [{"text": "B.### C", "finish_reason": "length"}]}'
    )
    assert answer == Answer(Outcome.ANSWERED, "B.", "stop", None, None, None)


def answer_with(message, reason="stop", keep=False):
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 1}}
    body = {"choices": [{"message": message, "finish_reason": reason}], "usage": usage}
    return read_answer(replace(request("A."), keep_reasoning=keep), json.dumps(body).encode())


@pytest.mark.parametrize(
    ("message", "text", "reasoning"),
    [
        ({"content": "B."}, "B.", None),
        ({"content": "<think>hm\nhm</think>\nB."}, "B.", "hm\nhm"),
        ({"content": "hm, so\n</think>\n\nB."}, "B.", "hm, so"),
        ({"content": "<think>hm, and no end"}, "", "hm, and no end"),
        ({"content": "B.", "reasoning_content": "hm"}, "B.", "hm"),
        ({"content": "B.", "reasoning": "hm"}, "B.", "hm"),
        ({"content": None, "reasoning_content": "hm"}, "", "hm"),
        ({"content": [{"type": "text", "text": "B. "}, {"type": "text", "text": "C."}]}, "B. C.", None),
        (
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
                    {"type": "text", "text": "B."},
                ]
            },
            "B.",
            "hm",
        ),
        ({"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "B."}]}, "B.", "hm"),
        ({"content": "Write <b> before </b>."}, "Write <b> before </b>.", None),
    ],
)
def test_reasoning_is_no_statement_and_kept_if_asked(message, text, reasoning):
    assert answer_with(message, keep=True) == Answer(Outcome.ANSWERED, text, "stop", 3, 1, 2, reasoning)
    assert answer_with(message) == Answer(Outcome.ANSWERED, text, "stop", 3, 1, 2, None if reasoning is None else "")


def test_a_filtered_answer_keeps_its_counts():
    assert answer_with({"content": ""}, "content_filter") == Answer(Outcome.FILTERED, "", "content_filter", 3, 1, 2)


@pytest.mark.parametrize(
    ("message", "reason", "remarks"),
    [
        ({"content": "B."}, "stop", ()),
        ({"content": "B. C"}, "length", ("cut",)),
        ({"content": " "}, "stop", ("empty",)),
        ({"content": None}, "stop", ("empty",)),
        ({"content": "<think>hm"}, "length", ("cut", "empty", "with reasoning")),
        ({"content": ""}, "content_filter", ()),
    ],
)
def test_what_is_worth_counting_about_an_answer(message, reason, remarks):
    answer = answer_with(message, reason)
    assert answer.remarks == remarks
    asked = RoundCounts()
    asked.add(answer)
    assert asked.remarks == Counter(remarks)


def test_records_of_two_runs_add_up():
    one = RoundCounts(
        answered=2,
        failed=Counter(timeout=1),
        failed_tries=Counter({"HTTP 429": 3}),
        spent=Spent(prompt_tokens=5),
        seconds=1.5,
    )
    two = RoundCounts(answered=1, invalid=1, failed_tries=Counter({"HTTP 429": 1}), remarks=Counter(cut=1), seconds=0.5)
    both = one + two
    assert (both.answered, both.invalid, both.total, both.spent.prompt_tokens, both.seconds) == (3, 1, 5, 5, 2.0)
    assert (both.failed, both.failed_tries, both.remarks) == (
        Counter(timeout=1),
        Counter({"HTTP 429": 4}),
        Counter(cut=1),
    )


def test_waits_grow_and_are_bounded():
    pace = Pace(1, 9, jitter=lambda: 1.0)
    assert [pace.wait(Failure("x"), i) for i in (0, 1, 2, 20)] == [0.5, 1.0, 2.0, 60.0]
    assert Pace(1, 9, jitter=lambda: 0.0).wait(Failure("x"), 1) == 0.5
    assert pace.wait(Failure("x", 3000), 0) == 600.0


def test_counts_know_what_they_do_not_know():
    asked = RoundCounts()
    asked.add(Answer(Outcome.ANSWERED, "x", "stop"))
    assert (asked.answered, asked.spent.without_tokens, asked.spent.completion_tokens) == (1, 1, 0)


async def test_server_shows_no_key():
    server = Server("http://h/v1", "m", 1, SECRET)
    assert SECRET not in repr(server)
    async with open_session(server) as session:
        assert SECRET not in repr(Client(server, session))
