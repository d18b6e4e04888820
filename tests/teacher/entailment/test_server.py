"""The HTTP server around a scorer of a few lines: its answers, its refusals, and how requests are collected."""

import asyncio
import json
import math
import threading

import aiohttp
import pytest
from aiohttp import web

from axolotl_augft.teacher.entailment.batcher import Batcher
from axolotl_augft.teacher.entailment.pair import Score, Unfit
from axolotl_augft.teacher.entailment.server import make_app

PROBABLE = {"sure": 0.875, "unsure": 0.25}


def score_all(pairs):
    """A pair's probability is that of its statement's word; its tokens are its premise's length."""
    found = []
    for pair in pairs:
        if pair.statement == "broken":
            raise RuntimeError("secret")
        if pair.statement == "long":
            found.append(Unfit("too long"))
            continue
        p = PROBABLE[pair.statement]
        found.append(Score(math.log(p), math.log(1 - p), len(pair.premise)))
    return found


@pytest.fixture
async def served():
    """The address of a server that requires a key, and a session that has it."""
    runner = web.AppRunner(make_app(score_all, "org/model", "the-key"))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    headers = {"Authorization": "Bearer the-key"}
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession(base, headers=headers) as session:
        yield session
    await runner.cleanup()


def body(statement, **more):
    prompt = json.dumps({"premise": "four", "statement": statement})
    return {"model": "org/model", "prompt": prompt, "max_tokens": 1, "logprobs": 5, **more}


async def test_an_answer_holds_the_logarithms_of_both_words(served):
    answers = []
    for statement in ("sure", "unsure"):
        async with served.post("/v1/completions", json=body(statement)) as response:
            assert response.status == 200
            answers.append(await response.json())
    assert answers[0] == {
        "object": "text_completion",
        "model": "org/model",
        "choices": [
            {
                "index": 0,
                "text": " yes",
                "finish_reason": "stop",
                "logprobs": {
                    "tokens": [" yes"],
                    "token_logprobs": [math.log(0.875)],
                    "top_logprobs": [{" yes": math.log(0.875), " no": math.log(0.125)}],
                    "text_offset": [0],
                },
            }
        ],
        "usage": {"prompt_tokens": 4, "completion_tokens": 1, "total_tokens": 5},
    }
    second = answers[1]["choices"][0]
    assert second["text"] == " no" and second["logprobs"]["token_logprobs"] == [math.log(0.75)]


async def test_logarithms_come_only_if_asked_for(served):
    async with served.post("/v1/completions", json=body("sure", logprobs=None)) as response:
        assert (await response.json())["choices"][0]["logprobs"] is None


@pytest.mark.parametrize(
    ("sent", "status", "message"),
    [
        (b"{", 400, "the body is not JSON"),
        (b"[]", 400, "the body must be a JSON object, and stream is not supported"),
        (body("sure", stream=True), 400, "the body must be a JSON object, and stream is not supported"),
        (body("sure", prompt="Is it so?"), 400, 'the prompt must be JSON: {"premise": "...", "statement": "..."}'),
        ({"model": "m"}, 400, "the prompt must be one text"),
        (body("long"), 400, "too long"),
        (body("broken"), 500, "the model failed (RuntimeError)"),
    ],
)
async def test_what_cannot_be_answered_says_why(served, sent, status, message):
    data = sent if isinstance(sent, bytes) else json.dumps(sent)
    async with served.post("/v1/completions", data=data) as response:
        assert response.status == status
        assert await response.json() == {"error": {"message": message, "type": "invalid_request_error"}}
    async with served.post("/v1/completions", json=body("sure")) as response:
        assert response.status == 200


async def test_a_large_premise_is_taken(served):
    large = json.dumps({"premise": "x" * 5_000_000, "statement": "sure"})
    async with served.post("/v1/completions", json=body("sure", prompt=large)) as response:
        assert (await response.json())["usage"]["prompt_tokens"] == 5_000_000


@pytest.mark.parametrize("key", ["Bearer wrong", "the-key", ""])
async def test_without_the_key_only_health_answers(served, key):
    for path, status in (("/health", 200), ("/v1/models", 401)):
        async with served.get(path, headers={"Authorization": key}) as response:
            assert response.status == status
    async with served.post("/v1/completions", json=body("sure"), headers={"Authorization": key}) as response:
        assert response.status == 401


async def test_the_model_is_listed_without_a_window(served):
    async with served.get("/v1/models") as response:
        assert await response.json() == {"object": "list", "data": [{"id": "org/model", "object": "model"}]}


async def test_requests_in_flight_are_judged_together_and_never_two_calls_at_once():
    calls, first, go_on = [], threading.Event(), threading.Event()

    def work(items):
        calls.append(list(items))
        first.set()
        assert go_on.wait(10)
        return [item * 10 for item in items]

    batcher = Batcher(work)
    running = asyncio.create_task(batcher.run())
    asked = [asyncio.create_task(batcher.ask(0))]
    await asyncio.to_thread(first.wait, 10)
    asked += [asyncio.create_task(batcher.ask(i)) for i in range(1, 300)]
    await asyncio.sleep(0)
    asked[5].cancel()
    go_on.set()
    answers = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 10)
    assert [a for a in answers if not isinstance(a, asyncio.CancelledError)] == [i * 10 for i in range(300) if i != 5]
    assert calls[0] == [0] and [len(call) for call in calls] == [1, 256, 43]
    running.cancel()
