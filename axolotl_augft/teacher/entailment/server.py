"""A scorer -> an HTTP server that answers completions: /v1/completions, /v1/models and /health.

The text of an answer is " yes" or " no", and the log-probabilities of both stand in `logprobs`.
"""

import asyncio
import hmac
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import orjson
from aiohttp import web

from axolotl_augft.teacher.entailment.batcher import Batcher
from axolotl_augft.teacher.entailment.pair import Pair, Score, Unfit, UnreadablePair, read_pair

LOG = logging.getLogger(__name__)
YES, NO = " yes", " no"
_LARGEST_REQUEST = 64 * 2**20

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ScoreAll = Callable[[Sequence[Pair]], Sequence[Score | Exception]]


def make_app(score: ScoreAll, model: str, key: str | None) -> web.Application:
    """Make the server's application.

    Args:
        score: Judges pairs; called from a thread, never twice at once.
        model: The model's name.
        key: Bearer token that requests must carry, None if they need none.
    """
    completions = _Completions(score, model)
    app = web.Application(client_max_size=_LARGEST_REQUEST, middlewares=[_requires(key)])
    app.router.add_get("/health", _healthy)
    app.router.add_get("/v1/models", completions.models)
    app.router.add_post("/v1/completions", completions.complete)
    app.cleanup_ctx.append(completions.running)
    return app


class _Completions:
    """The handlers of the API, around one model."""

    def __init__(self, score: ScoreAll, model: str) -> None:
        self._batcher: Batcher[Pair, Score] = Batcher(score)
        self._model = model

    async def running(self, _: web.Application) -> AsyncIterator[None]:
        """Work on requests while the server runs."""
        task = asyncio.create_task(self._batcher.run())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def models(self, _: web.Request) -> web.Response:
        """List the model. There is no `max_model_len`, because premises of any length are cut into passages."""
        return web.json_response({"object": "list", "data": [{"id": self._model, "object": "model"}]})

    async def complete(self, request: web.Request) -> web.Response:
        """Judge the pair that is the request's prompt."""
        try:
            body = orjson.loads(await request.read())
        except orjson.JSONDecodeError:
            return _error(400, "the body is not JSON")
        if not isinstance(body, dict) or body.get("stream"):
            return _error(400, "the body must be a JSON object, and stream is not supported")
        try:
            score = await self._batcher.ask(read_pair(body.get("prompt")))
        except (UnreadablePair, Unfit) as error:
            return _error(400, str(error))
        except Exception as error:
            LOG.exception("a request failed")
            return _error(500, f"the model failed ({type(error).__name__})")
        return web.json_response(_answer(body, self._model, score))


def _answer(body: dict[str, Any], model: str, score: Score) -> dict[str, Any]:
    """Build the body of an answer; `logprobs` holds both words, however many were asked for."""
    words = {YES: score.follows, NO: score.not_follows}
    word = max(words, key=words.__getitem__)
    asked = body.get("logprobs") is not None
    logs = {"tokens": [word], "token_logprobs": [words[word]], "top_logprobs": [words], "text_offset": [0]}
    return {
        "object": "text_completion",
        "model": model,
        "choices": [{"index": 0, "text": word, "finish_reason": "stop", "logprobs": logs if asked else None}],
        "usage": {"prompt_tokens": score.tokens, "completion_tokens": 1, "total_tokens": score.tokens + 1},
    }


async def _healthy(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"message": message, "type": "invalid_request_error"}}, status=status)


def _requires(key: str | None) -> Any:
    """Make a middleware that refuses requests without the key; whether the server is healthy, anyone may ask."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").encode()
        if key is None or request.path == "/health" or hmac.compare_digest(given, f"Bearer {key}".encode()):
            return await handler(request)
        return _error(401, "the key is missing or wrong")

    return check
