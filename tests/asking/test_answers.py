"""What counts as an answer: everything else is tried again, is final with its reason, or ends the run."""

import hashlib
import json
import zlib
from dataclasses import replace

import pytest
from aiohttp import web

from axolotl_augft.asking.pacing.pace import Pace
from axolotl_augft.asking.round import Round
from axolotl_augft.asking.window import ask
from axolotl_augft.errors import TeacherError, TeacherRefusedAccess, TeacherUnreachable
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.teacher.answer import Answer, Failure, Outcome
from axolotl_augft.teacher.client import Client, Server
from axolotl_augft.teacher.prompt_window import PromptWindow
from axolotl_augft.teacher.reading import read_answer
from axolotl_augft.teacher.request import Prefix, Request, Sampling
from axolotl_augft.text.tokens import TokenCounter
from tests.support.asking import Quiet
from tests.support.teacher_server import TeacherServer, prompt_of

PREFIX = Prefix("", "the facts of the house of Ennis are many. ")
WORDS = TokenCounter(lambda texts: [len(text.split()) for text in texts], exact=True)


async def at_once(seconds):
    pass


def request(target, api="chat", prefix=PREFIX):
    return Request("t", api, prefix, target, Sampling(0.0, None, 16, (), 1), 0)


def requests(n):
    return [request(f"number {i}") for i in range(n)]


def run(server, some, store, concurrency=4, retries=6, trusted=False, prompts=None, again=False):
    pace = Pace(concurrency, retries, sleep=at_once, jitter=lambda: 1.0)
    round_ = Round(Server(server.base_url, "m", 5.0), store, pace, Quiet(), trusted, prompts=prompts, again=again)
    return ask(iter(some), round_)


def choice(reason, text="A is", **more):
    return json.dumps({"choices": [{"message": {"content": text}, "finish_reason": reason, **more}]}).encode()


@pytest.mark.parametrize("reason", ["stop", "STOP", "eos", "eos_token", "end_turn", "stop_sequence", None, ""])
def test_a_complete_answer(reason):
    answer = read_answer(request("x"), choice(reason))
    assert isinstance(answer, Answer) and answer.text == "A is" and not answer.was_cut


@pytest.mark.parametrize("status", [101, 201, 202, 204])
def test_a_status_that_is_no_refusal_is_a_failure(status):
    client = Client(Server("http://h/v1", "m", 5.0))
    assert client.read(request("x"), status, {}, b"") == Failure(f"HTTP {status}")


@pytest.mark.parametrize("where", ["content", "reasoning_content"])
def test_an_answer_that_holds_the_key_is_none(where):
    def read(key):
        client = Client(Server("http://h/v1", "m", 5.0, key))
        message = {"content": "A is", where: f"It is {key}."}
        body = json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode()
        return client.read(replace(request("x"), keep_reasoning=True), 200, {"Content-Type": "application/json"}, body)

    assert read("sk-0123456789abcdef") == Failure("answer that holds the key", lasting=True)
    assert isinstance(read("EMPTY"), Answer)


@pytest.mark.parametrize("reason", ["length", "max_tokens", "MAX_TOKENS"])
def test_an_answer_that_was_cut_is_known_to_be(reason):
    answer = read_answer(request("x"), choice(reason))
    assert isinstance(answer, Answer) and answer.was_cut


@pytest.mark.parametrize(
    "reason",
    [
        "abort",
        "error",
        "model_length",
        "insufficient_system_resource",
        "tool_calls",
        "function_call",
        "cancelled",
        "timeout",
        "never seen before",
        {"type": "abort"},
        7,
        True,
    ],
)
def test_an_answer_that_ended_for_another_reason_is_a_failure(reason):
    assert isinstance(read_answer(request("x"), choice(reason)), Failure)
    completion = {"choices": [{"text": "A is", "finish_reason": reason}]}
    assert isinstance(read_answer(request("x", "completions"), json.dumps(completion).encode()), Failure)


@pytest.mark.parametrize("count", [2**63, 2**53, -1, -(2**70), 1.5, True, "7", [7]])
@pytest.mark.parametrize("name", ["prompt_tokens", "completion_tokens", "cached_tokens"])
def test_counts_that_cannot_be_are_refused(name, count, store):
    usage = {"prompt_tokens_details": {name: count}} if name == "cached_tokens" else {name: count}
    body = {"choices": [{"message": {"content": "A."}, "finish_reason": "stop"}], "usage": usage}
    assert read_answer(request("x"), json.dumps(body).encode()) == Failure("wrong shape", lasting=True)


@pytest.mark.parametrize("depth", [1, 2, 480, 900])
def test_thinking_may_be_nested_to_any_depth(depth):
    part = "[" * depth + '"hm"' + "]" * depth
    body = '{"choices":[{"message":{"content":[{"type":"thinking","thinking":%s},{"type":"text","text":"B."}]}}]}'
    answer = read_answer(request("x"), (body % part).encode())
    assert isinstance(answer, Answer) and answer.text == "B."


@pytest.mark.parametrize(
    "text",
    [
        "<think>" * 200_000,
        "</think" * 200_000,
        " " * 2_000_000 + "x",
        " " * 1_000_000 + "<think>" + "\n" * 1_000_000,
        "a<think>" * 200_000 + "</think>",
    ],
)
def test_long_texts_are_read_in_no_time(text):
    import time

    begin = time.monotonic()
    read_answer(request("x"), choice("stop", text))
    assert time.monotonic() - begin < 1.0


@pytest.mark.parametrize(("empty", "sent", "text"), [(1, 2, "A."), (2, 2, ""), (99, 2, "")])
@pytest.mark.parametrize("blank", ["", " \n", None, "<think>hm</think>"])
def test_an_empty_answer_is_asked_for_once_more(store, empty, sent, text, blank):
    async def first_ones(_, body):
        if len(server.bodies) <= empty:
            return web.Response(body=choice("stop", blank), content_type="application/json")

    with TeacherServer(answer=lambda _: "A.", misbehave=first_ones) as server:
        asked = run(server, requests(1), store, retries=0)
    assert len(server.bodies) == sent and asked.failed_tries == {"empty answer": 1}
    assert store.get(requests(1))[0].text.strip() == text


def test_empty_answers_are_forgotten_on_demand(tmp_path):
    some = [request(text) for text in ("a", "", " ", "\n\t")]
    filtered = request("f")
    with ResponseStore.opened(tmp_path / "s") as store:
        store.put([*((r, Answer(Outcome.ANSWERED, r.target)) for r in some), (filtered, Answer(Outcome.FILTERED))])
        assert store.forget([r.key for r in [*some, filtered]], [], empty=True) == 3
        assert [a is not None for a in store.get([*some, filtered])] == [True, False, False, False, True]


def error(status, **said):
    return web.json_response({"error": said}, status=status)


REFUSALS = {
    "no credit in other words": lambda i: error(400, message=f"Your credit balance is too low (request r{i})"),
    "context overflow": lambda i: error(400, message=f"maximum context length is 4096, you asked for {5000 + i}"),
    "an unknown field": lambda i: error(422, message="unknown field", code="invalid_request_error"),
    "without words": lambda i: web.Response(status=400),
}


@pytest.mark.parametrize("concurrency", [1, 4, 64])
@pytest.mark.parametrize("name", REFUSALS)
def test_a_streak_of_refusals_ends_the_run_and_is_not_stored(store, name, concurrency):
    async def after_ten(_, body):
        number = int(prompt_of(body).rsplit(" ", 1)[-1])
        return None if number < 10 else REFUSALS[name](number)

    with TeacherServer(answer=lambda _: "A.", misbehave=after_ten) as server, pytest.raises(TeacherError) as caught:
        run(server, requests(40), store, concurrency)
    stored = store.get(requests(40))
    assert all(a is None or a.outcome is Outcome.ANSWERED for a in stored) and all(stored[:1])
    assert "HTTP 4" in str(caught.value) and "\n" not in str(caught.value)


def test_refusals_of_single_requests_are_final(store):
    async def every_fourth(_, body):
        number = int(prompt_of(body).rsplit(" ", 1)[-1])
        return error(400, message="too long") if number % 4 == 3 else None

    with TeacherServer(answer=lambda _: "A.", misbehave=every_fourth) as server:
        asked = run(server, requests(200), store, 64)
    assert (asked.answered, asked.invalid) == (150, 50)


CREDIT = [
    (400, {"message": "Your credit balance is too low to access the API."}),
    (403, {"message": "Insufficient balance"}),
    (429, {"message": "You exceeded your current quota, please check your plan and billing details."}),
    (429, {"code": "insufficient_quota"}),
    (429, {"type": "insufficient_quota", "message": "no"}),
    (500, {"message": "Payment required: add credits"}),
    (200, {"message": "Insufficient credits", "code": 402}),
    (404, {"message": "You have run out of credits"}),
]


@pytest.mark.parametrize(("status", "said"), CREDIT)
def test_words_about_credit_end_the_run_with_any_status(store, status, said):
    async def later(_, body):
        return error(status, **said) if len(server.bodies) > 10 else None

    with TeacherServer(answer=lambda _: "A.", misbehave=later) as server, pytest.raises(TeacherRefusedAccess) as caught:
        run(server, requests(40), store, 1)
    assert len(server.bodies) == 11 and (said.get("message") or said.get("code")) in str(caught.value)


INSIDE_200 = [
    ({"error": {"code": 429, "message": "slow down"}}, "HTTP 429", "slow down"),
    ({"error": {"code": "503", "message": "busy"}}, "HTTP 503", "busy"),
    ({"error": {"message": "Provider returned error", "code": 502}, "choices": []}, "HTTP 502", "Provider returned"),
    ({"error": "Unexpected endpoint or method. (POST /v1/x)"}, "an error with HTTP 200", "Unexpected endpoint"),
    ({"message": "try later"}, "an error with HTTP 200", "try later"),
    ([{"error": {"code": 503, "message": "busy"}}], "HTTP 503", "busy"),
    ({"choices": [{"error": {"code": 502, "message": "upstream"}, "finish_reason": "error"}]}, "HTTP 502", "upstream"),
    (
        {"choices": [{"message": {"content": "A"}, "finish_reason": "stop"}], "error": {"code": 500, "message": "cut"}},
        "HTTP 500",
        "cut",
    ),
    ({"id": "x"}, "wrong shape", ""),
    ({"choices": None}, "wrong shape", ""),
]


@pytest.mark.parametrize(("body", "reason", "said"), INSIDE_200)
def test_an_error_inside_a_200_is_tried_again_with_all_tries(store, body, reason, said):
    async def one(_, received):
        return web.json_response(body) if prompt_of(received).endswith("number 3") else None

    with TeacherServer(answer=lambda _: "A.", misbehave=one) as server:
        asked = run(server, requests(6), store, 1, retries=3)
    assert asked.failed == {reason: 1} and asked.failed_tries == {reason: 4}
    assert said in asked.listed(asked.failed)


@pytest.mark.parametrize(
    "said",
    [
        {"error": {"code": 403, "message": "input was flagged", "metadata": {"reasons": ["x"], "flagged_input": "y"}}},
        {"code": "The caller does not have permission", "error": "Content violates usage guidelines. SAFETY_CHECK"},
        {"error": {"code": "content_filter", "message": "no"}},
        {"error": {"message": "Your chosen model requires moderation and your input was flagged"}},
    ],
)
def test_a_403_about_the_content_of_one_document_is_its_filter(store, said):
    async def one(_, body):
        return web.json_response(said, status=403) if prompt_of(body).endswith("number 0") else None

    with TeacherServer(answer=lambda _: "A.", misbehave=one) as server:
        asked = run(server, requests(6), store, 1)
    assert (asked.answered, asked.filtered, len(server.bodies)) == (5, 1, 6)


@pytest.mark.parametrize("status", [403, 404])
def test_refused_access_for_one_is_tried_again_and_for_all_is_the_end(store, status):
    async def once(_, body):
        number = [prompt_of(b) for b in server.bodies].count(prompt_of(body))
        return web.Response(status=status) if number == 1 and prompt_of(body).endswith("number 5") else None

    with TeacherServer(answer=lambda _: "A.", misbehave=once) as server:
        assert run(server, requests(20), store).answered == 20

    async def from_now_on(_, body):
        return web.Response(status=status) if len(server.bodies) > 10 else None

    later = [request(f"later {i}") for i in range(40)]
    with TeacherServer(answer=lambda _: "A.", misbehave=from_now_on) as server, pytest.raises(TeacherError):
        run(server, later, store, 8, retries=2)
    assert len(server.bodies) < 40


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_and_its_target_named(store, status):
    async def elsewhere(_, body):
        return web.Response(status=status, headers={"Location": f"http://u:p@127.0.0.1:{thief.port}/v1/x?key=s"})

    with TeacherServer() as thief, TeacherServer(misbehave=elsewhere) as server:
        with pytest.raises(TeacherError, match=rf"redirects to http://127.0.0.1:{thief.port}/v1/x \(HTTP {status}\)"):
            run(server, requests(3), store)
    assert thief.bodies == []


@pytest.mark.parametrize("kind", ["endless", "gzip bomb", "long", "error"])
def test_a_body_without_end_is_not_kept(store, kind):
    async def endless(http, body):
        headers = {"Content-Encoding": "gzip"} if kind == "gzip bomb" else {}
        response = web.StreamResponse(status=500 if kind == "error" else 200, headers=headers)
        response.content_type = "application/json"
        if kind == "long":
            response.content_length = 1 << 40
        await response.prepare(http)
        packer = zlib.compressobj(wbits=31)
        for _ in range(4000):
            part = b" " * (1 << 16)
            await response.write(packer.compress(part) + packer.flush(zlib.Z_SYNC_FLUSH) if headers else part)
        return response

    with TeacherServer(misbehave=endless) as server:
        asked = run(server, requests(1), store, 1)
    assert asked.failed == {"answer without end": 1} and len(server.bodies) == 2


def test_a_compressed_answer_is_read(store):
    async def packed(http, body):
        content = zlib.compressobj(wbits=31)
        data = content.compress(json.dumps(server.reply(body, "A.")).encode()) + content.flush()
        return web.Response(body=data, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})

    with TeacherServer(misbehave=packed) as server:
        run(server, requests(1), store)
    assert store.get(requests(1))[0].text == "A."


def test_a_cut_prompt_is_found_out_with_the_first_request(store):
    async def cut(_, body):
        reply = server.reply(body, "A.")
        reply["usage"]["prompt_tokens"] = min(50, len(prompt_of(body).split()) + 8)
        return web.json_response(reply)

    long = Prefix("", "word " * 100)
    with TeacherServer(misbehave=cut) as server:
        assert run(server, requests(5), store, prompts=PromptWindow(WORDS)).answered == 5
        with pytest.raises(TeacherError, match=r"has read 50 tokens of a prompt of 102 .*OLLAMA_CONTEXT_LENGTH"):
            run(server, [request(f"n {i}", prefix=long) for i in range(50)], store, prompts=PromptWindow(WORDS))
        assert len(server.bodies) == 6
    assert store.get([request("n 0", prefix=long)]) == [None]


class WithModels(TeacherServer):
    models: object = None

    def routes(self, app):
        async def models(_):
            return web.json_response(self.models)

        app.router.add_get("/v1/models", models)


@pytest.mark.parametrize(
    ("models", "fits"),
    [
        ({"data": [{"id": "m", "max_model_len": 100}]}, False),
        ({"data": [{"id": "m", "max_model_len": 200}]}, True),
        ({"data": [{"id": "m", "metadata": {"max_request_context_length": 100}}]}, False),
        ({"data": [{"id": "m", "metadata": "x"}]}, True),
        ({"data": [{"id": "x", "max_model_len": 100}]}, False),
        ({"data": []}, True),
        ([], True),
        (None, True),
        ({"data": [{"id": "m", "max_model_len": "x"}]}, True),
        ({"data": [{"id": "a"}, {"id": "m"}]}, True),
        ({"data": [1]}, True),
        ({"data": "m"}, True),
    ],
)
def test_the_window_that_the_server_names_holds(store, models, fits):
    some = [request(f"n {i}", prefix=Prefix("", "word " * 100)) for i in range(3)]
    with WithModels(answer=lambda _: "A.") as server:
        server.models = models
        if fits:
            assert run(server, some, store, prompts=PromptWindow(WORDS)).answered == 3
        else:
            with pytest.raises(TeacherError, match=r"do not fit into the 100 tokens .*--max-model-len"):
                run(server, some, store, prompts=PromptWindow(WORDS))
            assert server.bodies == []


@pytest.mark.parametrize(("number", "retries"), [(1, 2), (3, 0), (30, 1)])
def test_a_server_that_fails_only_with_a_seed_is_named(store, number, retries):
    async def no_seeds(_, body):
        return web.Response(status=500) if "seed" in body else None

    with TeacherServer(answer=lambda _: "A.", misbehave=no_seeds) as server:
        with pytest.raises(TeacherError, match=r"with a seed.*extra_body: \{seed: null\}"):
            run(server, requests(number), store, retries=retries)


@pytest.mark.parametrize(("failing", "number", "retries", "status"), [(1, 1, 0, 500), (2, 1, 1, 500), (9, 2, 3, 503)])
def test_a_few_failures_are_not_blamed_on_the_seed(store, failing, number, retries, status):
    async def at_first(_, body):
        return web.Response(status=status) if len(server.bodies) <= failing else None

    with TeacherServer(answer=lambda _: "A.", misbehave=at_first) as server:
        assert run(server, requests(number), store, 1, retries=retries).failed.total() == number
    assert all("seed" in body for body in server.bodies)


def test_a_server_that_always_fails_is_not_blamed_on_the_seed(store):
    async def broken(_, body):
        return web.Response(status=500)

    with TeacherServer(misbehave=broken) as server, pytest.raises(TeacherUnreachable, match="stopped answering"):
        run(server, requests(30), store, retries=1)


def chaos(number, empty):
    """The faults of this page; each answers in the server's place."""
    bodies = [body for body, _, _ in INSIDE_200]
    cases = [
        *(lambda b=b: web.json_response(b) for b in bodies),
        *(
            lambda r=r: web.Response(body=choice(r), content_type="application/json")
            for r in ("abort", "error", "model_length", "insufficient_system_resource", "other")
        ),
        lambda: web.Response(body=choice("stop" if empty else "abort", ""), content_type="application/json"),
        *(lambda s=s: web.Response(status=s) for s in (403, 404, 408, 429, 500, 502, 503, 529)),
        lambda: web.Response(status=429, headers={"Retry-After": "3"}),
        lambda: web.Response(text="<html>", content_type="text/html"),
    ]
    return cases[number % len(cases)]()


def content_of(path):
    with ResponseStore.opened(path) as store:
        return sorted(store.rows("SELECT key, outcome, text, finish_reason, prompt_tokens FROM responses"))


@pytest.mark.parametrize("salt", ["a", "b", "c"])
def test_chaos_changes_nothing_and_nothing_of_it_is_stored(tmp_path, salt):
    tries = {}

    async def third(_, body):
        prompt = prompt_of(body)
        tries[prompt] = tries.get(prompt, 0) + 1
        dice = hashlib.sha256(f"{salt}{prompt}{tries[prompt]}".encode()).digest()
        first = prompt.endswith("number 0") or tries[prompt] > 4
        if dice[0] >= 77 or first:
            return None
        # An answer that is empty twice is the teacher's answer.
        return chaos(dice[1], empty=tries[prompt] == 1)

    def answer(body):
        return f"So it is with {prompt_of(body)[-12:]}."

    with TeacherServer(answer=answer) as calm, ResponseStore.opened(tmp_path / "calm") as store:
        run(calm, requests(400), store, 64)
    with TeacherServer(answer=answer, misbehave=third) as wild, ResponseStore.opened(tmp_path / "wild") as store:
        asked = run(wild, requests(400), store, 64)
        if asked.failed:
            asked = run(wild, requests(400), store, 64, trusted=True, again=True)
    assert not asked.failed and len(wild.bodies) > 480
    assert content_of(tmp_path / "wild") == content_of(tmp_path / "calm")
