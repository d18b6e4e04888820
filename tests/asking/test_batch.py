"""The Batch API against a local server with its endpoints; nothing sleeps for real."""

import json
from dataclasses import replace
from functools import partial

import pytest

from axolotl_augft.asking.batch import DOCUMENTED, BatchLimits
from axolotl_augft.asking.budget import Budget, Limits
from axolotl_augft.batched import batched
from axolotl_augft.errors import TeacherError, TeacherRefusedAccess, TeacherUnreachable
from axolotl_augft.store.batches import BatchLedger
from axolotl_augft.teacher.answer import Answer, Outcome
from axolotl_augft.teacher.prices import NANO, Price
from tests.support.batch_asking import PREFIX, Stopped, nothing_is_left, request, requests, run, texts
from tests.support.batch_server import BatchServer
from tests.support.teacher_server import prompt_of


@pytest.fixture
def server():
    with BatchServer(answer=lambda body: "yes: " + prompt_of(body)[-8:], key="sk-1") as running:
        yield running


def test_answers_come_back_in_any_order_and_are_stored(server, store):
    some = requests(7)
    asked = run(server, [*some, *some], store)
    assert (asked.answered, asked.total, asked.spent.answers) == (7, 7, 7) and asked.spent.completion_tokens > 0
    assert texts(store, some) == ["yes: " + f"number {i}"[-8:] for i in range(7)]
    (batch,) = server.batches.values()
    (line, *_) = server.requests_of(batch)
    assert line["body"] == {
        "model": "m", "max_tokens": 16, "temperature": 0.5, "seed": 1, "stop": ["###"],
        "messages": [{"role": "user", "content": PREFIX.text + "number 0"}],
    }  # fmt: skip
    assert line["method"] == "POST" and line["url"] == batch.endpoint == "/v1/chat/completions"
    assert server.bodies == [] and nothing_is_left(store)
    assert run(server, some, store).total == 0 and len(server.batches) == 1


def test_completions_have_their_own_endpoint(server, store):
    run(server, [request("A.", "completions")], store)
    (batch,) = server.batches.values()
    assert batch.endpoint == "/v1/completions" and server.requests_of(batch)[0]["body"]["prompt"] == PREFIX.text + "A."


def test_the_documented_limits():
    assert DOCUMENTED == BatchLimits(50_000, 200_000_000)


def test_files_are_split_by_requests(server, store):
    some = requests(10)
    assert run(server, some, store, BatchLimits(requests=4)).answered == 10
    assert [len(server.requests_of(b)) for b in server.batches.values()] == [4, 4, 2]


def test_files_are_split_by_bytes(server, store):
    some = [request(f"{i} " + "x" * 700) for i in range(5)]
    assert run(server, some, store, BatchLimits(bytes=2_500)).answered == 5
    sizes = [len(b.content) for b in server.batches.values()]
    assert len(sizes) == 3 and max(sizes) <= 2_500


def test_equal_requests_never_go_into_two_batches(server, store):
    some = requests(3)
    assert run(server, [some[0], some[1], some[0], some[2], some[1]], store, BatchLimits(requests=1)).answered == 3
    assert len(server.batches) == 3


def test_a_run_that_is_stopped_while_it_waits_goes_on_with_its_batches(server, store):
    server.looks = 9
    some = requests(5)
    with pytest.raises(Stopped):
        run(server, some, store, BatchLimits(requests=3), stop_after=2)
    assert len(server.batches) == 2 and texts(store, some) == [None] * 5
    asked = run(server, some, store, BatchLimits(requests=3))
    assert asked.answered == 5 and len(server.batches) == 2 and nothing_is_left(store)
    assert None not in texts(store, some) and len(server.asked) == 5


def test_a_batch_whose_id_was_never_written_down_is_found_by_its_tag(server, store, monkeypatch):
    def dies(*_):
        raise Stopped

    with monkeypatch.context() as patched, pytest.raises(Stopped):
        patched.setattr(BatchLedger, "sent", dies)
        run(server, requests(3), store)
    assert len(server.batches) == 1
    assert run(server, requests(3), store).answered == 3 and len(server.batches) == 1 and nothing_is_left(store)


def test_a_batch_that_is_refused_names_the_code(server, store):
    server.refuse_create = [400]
    with pytest.raises(
        TeacherError, match="refuses a call .HTTP 400, some_code.; if the server has no Batch API, remove"
    ):
        run(server, requests(3), store)
    assert run(server, requests(3), store).answered == 3 and len(server.batches) == 1 and nothing_is_left(store)


def test_a_batch_that_was_made_although_the_answer_was_lost_is_not_made_twice(server, store):
    server.refuse_create = [500]
    waits = []
    assert run(server, requests(3), store, waits=waits).answered == 3
    assert len(server.batches) == 1 and waits[0] == 0.5


def test_results_read_before_the_end_of_the_process_are_not_counted_again(server, store, monkeypatch):
    def dies(*_):
        raise Stopped

    with monkeypatch.context() as patched, pytest.raises(Stopped):
        patched.setattr(BatchLedger, "end", dies)
        run(server, requests(3), store)
    assert None not in texts(store, requests(3))
    assert run(server, [*requests(3), request("new")], store).total == 1 and nothing_is_left(store)


def test_an_expired_batch_keeps_what_it_has_and_sends_the_rest_again(server, store):
    server.fate = lambda batch, _: "expired" if batch.id == "batch_0" else "completed"
    late = set()

    def line(custom_id, body):
        if prompt_of(body)[-1] in "34" and custom_id not in late:
            late.add(custom_id)
            return {"code": "batch_expired"}
        return None

    server.line = line
    asked = run(server, requests(5), store)
    assert (asked.answered, asked.failed.total()) == (5, 0)
    assert [len(server.requests_of(b)) for b in server.batches.values()] == [5, 2] and nothing_is_left(store)


def test_requests_that_never_get_an_answer_are_given_up_after_their_retries(server, store):
    server.line = lambda _, body: {"code": "batch_expired"} if prompt_of(body).endswith("number 2") else None
    asked = run(server, requests(4), store, retries=2)
    assert (asked.answered, dict(asked.failed)) == (3, {"batch: batch_expired": 1})
    assert len(server.batches) == 3 and texts(store, requests(4))[2] is None and nothing_is_left(store)


@pytest.mark.parametrize(
    ("own", "failure"),
    [
        ({"status_code": 500, "body": {"error": {"message": "oops"}}}, "HTTP 500"),
        ({"status_code": 429, "body": None}, "HTTP 429"),
        ({"status_code": 200, "body": {"choices": []}}, "wrong shape"),
        ({}, "batch completed"),
    ],
)
def test_a_passing_failure_of_one_request_is_no_answer(server, store, own, failure):
    server.line = lambda _, body: own if prompt_of(body).endswith("number 1") else None
    asked = run(server, requests(3), store, retries=1)
    assert (asked.answered, dict(asked.failed)) == (2, {failure: 1})


def test_final_outcomes_of_single_requests_are_stored(server, store):
    def line(_, body):
        if prompt_of(body).endswith("number 1"):
            return {"status_code": 400, "body": {"error": {"code": "content_filter", "message": "no"}}}
        if prompt_of(body).endswith("number 2"):
            return {"status_code": 400, "body": {"error": {"code": "context_length_exceeded", "message": "too long"}}}
        return None

    server.line = line
    asked = run(server, requests(3), store)
    assert (asked.answered, asked.filtered, asked.invalid) == (1, 1, 1)
    assert [a.outcome for a in store.get(requests(3))] == [Outcome.ANSWERED, Outcome.FILTERED, Outcome.INVALID]


def test_a_batch_of_nothing_but_invalid_requests_stores_none(server, store):
    server.line = lambda *_: {"status_code": 400, "body": {"error": {"code": "bad_field", "message": "unknown field"}}}
    with pytest.raises(
        TeacherError,
        match=r"calls the first 3 requests invalid and answered none \(HTTP 400, bad_field, unknown field\)",
    ):
        run(server, requests(3), store)
    assert store.get(requests(3)) == [None] * 3 and nothing_is_left(store)


def test_a_refusal_inside_a_batch_ends_the_run_once(server, store):
    server.line = lambda _, body: (
        {"status_code": 404, "body": {"error": {"code": "model_not_found"}}} if prompt_of(body)[-1] == "1" else None
    )
    with pytest.raises(TeacherError, match="does not know model 'm'"):
        run(server, requests(3), store)
    assert texts(store, requests(3))[0] is not None
    server.line = lambda *_: None
    assert run(server, requests(3), store).answered == 1 and nothing_is_left(store)


def test_a_failed_batch_names_the_codes_and_is_forgotten(server, store):
    server.fate, server.codes = (lambda *_: "failed"), ("invalid_json_line", "invalid_json_line", "mismatched_model")
    with pytest.raises(
        TeacherError, match=r"batch batch_0 failed at 127.0.0.1:\d+ \(invalid_json_line, mismatched_model\); nothing"
    ):
        run(server, requests(3), store)
    server.fate = lambda *_: "completed"
    assert run(server, requests(3), store).answered == 3 and nothing_is_left(store)


def test_a_batch_too_large_for_the_queue_is_sent_in_halves(server, store):
    server.codes = ("token_limit_exceeded",)
    server.fate = lambda _, requests: "failed" if len(requests) > 2 else "completed"
    asked = run(server, requests(8), store)
    assert asked.answered == 8 and [len(server.requests_of(b)) for b in server.batches.values()] == [
        8,
        4,
        4,
        2,
        2,
        2,
        2,
    ]
    assert nothing_is_left(store)


def test_a_queue_too_small_for_one_request_ends_the_run(server, store):
    server.codes, server.fate = ("token_limit_exceeded",), lambda *_: "failed"
    with pytest.raises(TeacherError, match="token_limit_exceeded"):
        run(server, requests(2), store)


def test_a_cancelled_batch_ends_the_run_and_keeps_what_it_has(server, store):
    server.fate = lambda *_: "cancelled"
    server.line = lambda _, body: {"code": "batch_cancelled"} if prompt_of(body)[-1] == "2" else None
    with pytest.raises(TeacherError, match="batch batch_0 was cancelled at .* run again to send the rest"):
        run(server, requests(3), store)
    assert [t is None for t in texts(store, requests(3))] == [False, False, True]
    server.fate, server.line = (lambda *_: "completed"), lambda *_: None
    assert run(server, requests(3), store).answered == 1 and nothing_is_left(store)


def test_a_batch_that_the_provider_does_not_know_any_more_is_sent_again(server, store):
    server.looks = 9
    with pytest.raises(Stopped):
        run(server, requests(3), store, stop_after=1)
    server.batches.clear()
    server.looks = 1
    assert run(server, requests(3), store).answered == 3 and len(server.batches) == 1 and nothing_is_left(store)


def test_a_wrong_key_ends_the_run(server, store):
    with pytest.raises(
        TeacherRefusedAccess, match="Batch API at 127.0.0.1:.* refuses access .HTTP 401, invalid_api_key.*api_key_env"
    ) as caught:
        run(server, requests(3), store, key="sk-other")
    assert "sk-other" not in str(caught.value)


def test_a_provider_that_does_not_answer_is_given_up_and_the_batch_is_not_lost(store):
    with BatchServer(looks=9) as server, pytest.raises(Stopped):
        run(server, requests(3), store, stop_after=1)
    waits = []
    with pytest.raises(
        TeacherUnreachable, match="does not answer .APIConnectionError, 3 tries.; what was sent goes on there"
    ):
        run(server, requests(3), store, waits=waits)
    assert waits == [0.5, 1.0] and store.rows("SELECT id FROM batches") == [("batch_0",)]


def test_what_waits_at_one_provider_does_not_keep_another_from_being_asked(server, store):
    with BatchServer(looks=9) as other, pytest.raises(Stopped):
        run(other, requests(3), store, stop_after=1)
    assert run(server, requests(3), store).answered == 3


def test_looks_become_rarer(server, store):
    server.looks = 9
    waits = []
    run(server, requests(1), store, waits=waits)
    assert waits[:3] == [5.0, 7.5, 11.25] and max(waits) == 60.0


def test_a_request_survives_the_store_unchanged(store):
    ledger = BatchLedger(store, "h")
    one = request("A.", "completions", (("k", {"b": [1, 2], "a": None}), ("top_k", 3)))
    tag = ledger.begin([one])
    (back,) = ledger.requests(tag)
    assert back.key == one.key and back.body("m") == one.body("m")
    assert ledger.named(tag, [one.key]) == {one.key: back} and BatchLedger(store, "other host").open_batches() == []


def test_a_limit_on_dollars_counts_a_batch_at_its_worst_and_goes_on_with_what_is_left(server, store):
    price = Price(lambda prompt, cached, answer: (prompt + answer) * 1000, "test")
    budget = Budget(
        Limits(requests=None, nanodollars=100_000), price, lambda _: 14
    )  # 14 + 16 tokens: 30,000 at worst, 3 fit
    asked = run(server, requests(40), store, budget=budget)
    sizes = [len(server.requests_of(b)) for b in server.batches.values()]
    assert sizes[0] == 3 and budget.reached == "max_cost_usd"
    # 11 prompt tokens and 3 of the answer cost 15,000 or less each
    assert asked.answered == sum(sizes) >= 4 and 70_000 < asked.spent.nanodollars <= 100_000
    assert "reached" not in str(budget.error(1)) and "$" in str(budget.error(40 - asked.answered))


def test_a_limit_on_requests_counts_batches_of_an_earlier_run(server, store):
    server.looks = 9
    with pytest.raises(Stopped):
        run(server, requests(3), store, stop_after=1)
    budget = Budget(Limits(requests=4), None, lambda _: 0)
    assert run(server, requests(9), store, budget=budget).answered == 4 and budget.reached == "max_requests"
    assert [len(server.requests_of(b)) for b in server.batches.values()] == [3, 1]


def test_every_line_of_a_file_is_json(server, store):
    run(server, [request("a line\nbreak and \u2028 another, 中文")], store)
    (content,) = [b.content for b in server.batches.values()]
    assert content.count(b"\n") == 1 and json.loads(content)["body"]["messages"][0]["content"].endswith("中文")


def test_answers_know_their_price(server, store):
    budget = Budget(Limits(), Price(lambda p, c, a: NANO, "test"), lambda _: 0)
    run(server, requests(2), store, budget=budget)
    answer = store.get(requests(1))[0]
    assert isinstance(answer, Answer) and answer.nanodollars == NANO


def test_a_batch_of_another_recipe_is_left_to_that_recipe(server, store):
    server.looks, server.line = 9, lambda *_: {"code": "batch_expired"}
    others = [replace(r, teacher_id="big") for r in requests(2)]
    with pytest.raises(Stopped):
        run(server, others, store, model="big", stop_after=1)
    server.looks, server.line = 1, lambda *_: None
    assert run(server, requests(3), store).total == 3
    assert [[r["body"]["model"] for r in server.requests_of(b)] for b in server.batches.values()] == [
        ["big"] * 2,
        ["m"] * 3,
    ]
    assert texts(store, others) == [None] * 2
    assert run(server, others, store, model="big").answered == 2 and len(server.batches) == 2 and nothing_is_left(store)


@pytest.mark.parametrize("fate", ["expired", "failed"])
def test_what_the_recipe_does_not_ask_any_more_is_not_sent_again(server, store, fate):
    server.looks = 9
    with pytest.raises(Stopped):
        run(server, requests(4), store, stop_after=1)
    server.fate, server.codes = (
        (lambda batch, _: fate if batch.id == "batch_0" else "completed"),
        ("token_limit_exceeded",),
    )
    server.line = lambda _, body: {"code": "batch_expired"} if len(server.batches) == 1 else None
    assert run(server, requests(2), store).answered == 2
    assert sum(len(server.requests_of(b)) for b in list(server.batches.values())[1:]) == 2 and nothing_is_left(store)


def test_an_equal_request_is_not_sent_after_a_wait_for_the_budget(server, store, monkeypatch):
    monkeypatch.setattr("axolotl_augft.asking.batch.batched", partial(batched, size=2))
    budget = Budget(
        Limits(nanodollars=70_000), Price(lambda p, c, a: (p + a) * 100, "test"), lambda _: 284
    )  # 30,000 at worst: two fit
    one, two, three = requests(3)
    assert run(server, [one, two, three, one], store, budget=budget).answered == 3
    assert [len(server.requests_of(b)) for b in server.batches.values()] == [2, 1]
