"""The oracle -> an OpenAI-compatible HTTP server on 127.0.0.1: /v1/chat/completions, /v1/completions and /health."""

import asyncio
import threading
from typing import Any

import orjson
from aiohttp import web

from axolotl_augft.bench.datasets.dataset import BenchData
from axolotl_augft.bench.datasets.grammar import Grammar
from axolotl_augft.bench.oracle.answers import Oracle
from axolotl_augft.bench.oracle.prompt_reading import UnreadablePrompt
from axolotl_augft.errors import BenchError
from axolotl_augft.text.tokens import ESTIMATE

_START_SECONDS = 30
_LARGEST_REQUEST = 64 * 2**20
# The oracle writes everything that follows; the stage's default limits are meant for language models.
_MAX_TOKENS = 1_000_000
_BYTES_PER_TOKEN = 4


class OracleServer:
    """Context manager that serves a data set's oracle in a thread.

    Raises:
        BenchError: The server does not start within 30 seconds.

    Example:
        with OracleServer(data, grammar) as oracle:
            cfg["augft"]["teacher"] = oracle.teacher_block()
    """

    def __init__(self, data: BenchData, grammar: Grammar) -> None:
        self._oracle = Oracle(data, grammar)
        self._ready = threading.Event()
        self._port: int | None = None

    def __enter__(self) -> "OracleServer":
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="oracle", daemon=True)
        self._thread.start()
        if not self._ready.wait(_START_SECONDS):
            raise BenchError("the oracle's server on 127.0.0.1 did not start; see the output above, and run again")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    @property
    def base_url(self) -> str:
        """Address for `augft.teacher.base_url`; the port changes with every start."""
        return f"http://127.0.0.1:{self._port}/v1"

    def teacher_block(self, api: str = "chat") -> dict[str, Any]:
        """Build the `augft.teacher` block.

        Its id depends on the facts and their wordings, so stored answers stay valid when the port changes.
        """
        return {
            "base_url": self.base_url,
            "model": "oracle",
            "id": self._oracle.id,
            "api": api,
            "max_tokens": _MAX_TOKENS,
        }

    async def _serve(self) -> None:
        app = web.Application(client_max_size=_LARGEST_REQUEST)
        app.router.add_post("/v1/chat/completions", self._answer)
        app.router.add_post("/v1/completions", self._answer)
        app.router.add_get("/health", _healthy)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self._port = runner.addresses[0][1]
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            self._ready.set()
            await self._stop.wait()
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            body = orjson.loads(await request.read())
            prompt = body["messages"][-1]["content"] if "messages" in body else body["prompt"]
            text = self._oracle.answer(prompt, int(body.get("seed") or 0))
        except (orjson.JSONDecodeError, LookupError, TypeError, UnreadablePrompt) as error:
            message = str(error) if isinstance(error, UnreadablePrompt) else f"not a request ({type(error).__name__})"
            return web.json_response(
                {"error": {"message": f"the oracle cannot read this: {message}", "code": "unreadable"}}, status=400
            )
        return web.json_response(_reply(body, prompt, text))


def _reply(body: dict[str, Any], prompt: str, text: str) -> dict[str, Any]:
    """Build the body of an answer, truncated at `max_tokens` as by any server, at four bytes per token."""
    limit = int(body.get("max_tokens") or _MAX_TOKENS)
    was_cut = ESTIMATE.count(text) > limit
    if was_cut:
        text = text.encode()[: limit * _BYTES_PER_TOKEN].decode(errors="ignore")
    used = {"prompt_tokens": ESTIMATE.count(prompt), "completion_tokens": ESTIMATE.count(text)}
    said: dict[str, Any] = {"message": {"role": "assistant", "content": text}} if "messages" in body else {"text": text}
    if body.get("logprobs"):
        # The oracle is certain: what it does not say has no probability.
        certain = {"token": text, "logprob": 0.0}
        said["logprobs"] = {"content": [{**certain, "top_logprobs": [certain]}]}
    return {
        "object": "chat.completion" if "messages" in body else "text_completion",
        "model": "oracle",
        "choices": [{"index": 0, "finish_reason": "length" if was_cut else "stop", **said}],
        "usage": {**used, "total_tokens": sum(used.values())},
    }


async def _healthy(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})
