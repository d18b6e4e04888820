"""A real HTTP server on 127.0.0.1 that answers like an OpenAI-compatible one, but by a script; a tool, never a proof.

It records every request body and header, and can be told to misbehave. As a program (`python teacher_server.py LOG`) it
prints its port and appends each request body to LOG, one JSON object a line."""

import asyncio
import json
import math
import re
import ssl
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

Handler = Callable[[web.Request, dict], Awaitable[web.StreamResponse | None]]


@contextmanager
def served(make: Callable[[], web.Application], port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve an application that is made in the server's thread; the value is its port."""
    ready, found = threading.Event(), {}

    async def run() -> None:
        runner = web.AppRunner(make(), handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls).start()
        found.update(port=runner.addresses[0][1], loop=asyncio.get_running_loop(), stop=asyncio.Event())
        ready.set()
        await found["stop"].wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield found["port"]
    finally:
        found["loop"].call_soon_threadsafe(found["stop"].set)
        thread.join(10)


def prompt_of(body: dict) -> str:
    if "prompt" in body:
        return body["prompt"]
    return "\n".join(m["content"] for m in body["messages"])


def scripted_pairs(prompt: str) -> str:
    """Return question-answer pairs as JSON: two for an exchange or per sentence, one for a global target."""
    if "Now think about the document" in prompt:
        target = prompt.rsplit("Now think about the document", 1)[-1].split("\n\nWrite new questions", 1)[0]
        text = re.sub(r"^\s*\[\w+\]:?\s*", "", target).rsplit("Answer: ", 1)[-1].split("\n")[0]
        pairs = [("conclusion", f"Together with the rest: {text}", f"It follows that {text}")]
    elif "Now these sentences:" in prompt:
        sentences = re.findall(r"^\[\d+\] (.*)$", prompt.rsplit("Now these sentences:", 1)[-1], re.MULTILINE)
        pairs = [
            p
            for s in sentences
            for p in (("rephrasing", f"What of this: {s}", s), ("reversal", f"From its end, what of this: {s}", s))
        ]
    else:
        asked = prompt.rsplit("\nQuestion: ", 1)[-1].removesuffix("\nFurther questions:")
        question, answer = asked.split("\nAnswer: ", 1)
        pairs = [
            ("rephrasing", f"In other words: {question}", ""),
            ("reversal", f"Seen from its end: {question}", f"It is so: {answer}"),
        ]
    return json.dumps({"pairs": [{"kind": k, "question": q, "answer": a} for k, q, a in pairs]})


def asks_whether_it_follows(prompt: str) -> bool:
    return "must the statement be true too" in prompt or prompt.rstrip().endswith("Follows:")


def is_verification(prompt: str) -> bool:
    alone = "Does the statement itself say" in prompt or prompt.rstrip().endswith("Understood:")
    return alone or asks_whether_it_follows(prompt) or asks_whether_both_are_true(prompt)


def asks_whether_both_are_true(prompt: str) -> bool:
    return "Can both sentences be true at the same time? Answer yes or no." in prompt


def probabilities(text: str) -> list[dict]:
    """Log-probabilities of the first token of an answer that begins with yes or no: 0.9 for the word it says."""
    said = text.strip().lower()
    if not said.startswith(("yes", "no")):
        return [{"token": said[:3], "logprob": -0.1}]
    yes = 0.9 if said.startswith("yes") else 0.1
    return [{"token": "yes", "logprob": math.log(yes)}, {"token": "no", "logprob": math.log(1 - yes)}]


def scripted_answer(body: dict) -> str:
    """Answer a local request with two lines per sentence, like a reversal and a rephrasing; a global one with a trace.

    The trace ends in a conclusion. A request for questions is answered by `scripted_pairs`.
    """
    prompt = prompt_of(body)
    if "response_format" in body:
        return scripted_pairs(prompt)
    if is_verification(prompt):
        return "yes"
    if "Conclusions:" in prompt:
        target = prompt.rsplit("Now think about the document", 1)[-1].rsplit("Chosen:", 1)[-1]
        text = re.sub(r"^\s*\[\w+\]:?\s*", "", target.strip()).split("\n")[0]
        return f"It is known that {text} Hence more follows.\nConclusions:\n- It follows that {text}\n"
    asked = prompt.rsplit("Now these sentences:", 1)[-1].rsplit("Text:", 1)[-1]
    lines = []
    for number, sentence in re.findall(r"^\[(\d+)\] (.*)$", asked, re.MULTILINE):
        lines += [
            f"[{number}] rephrasing: In other words, {sentence}",
            f"[{number}] reversal: Seen from its end, {sentence}",
        ]
    return "\n".join(lines) or "Nothing more follows."


@dataclass
class TeacherServer:
    """`answer` makes the text of an answer; `misbehave` may answer in its stead.

    `key`: the bearer token it wants, if any. `count`: tokens of a text, as it reports them.
    """

    answer: Callable[[dict], str] = scripted_answer
    misbehave: Handler | None = None
    key: str | None = None
    gives_logprobs: bool = True
    count: Callable[[str], int] = lambda text: len(text) // 4
    delay: float = 0.0
    bodies: list[dict] = field(default_factory=list)
    headers: list[dict] = field(default_factory=list)
    port: int = 0
    log: Path | None = None
    tls: ssl.SSLContext | None = None
    _most: int = 0
    _now: int = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def most_in_flight(self) -> int:
        return self._most

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        if self.log:
            with self.log.open("a") as file:
                file.write(json.dumps(body) + "\n")
        self._now += 1
        self._most = max(self._most, self._now)
        try:
            if self.delay:
                await asyncio.sleep(self.delay)
            if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
                return web.json_response({"error": {"message": "wrong key", "code": "invalid_api_key"}}, status=401)
            if self.misbehave and (response := await self.misbehave(request, body)) is not None:
                return response
            return web.json_response(self.reply(body, self.answer(body)))
        finally:
            self._now -= 1

    def reply(self, body: dict, text: str, finish_reason: str = "stop") -> dict:
        prompt = prompt_of(body)
        usage = {
            "prompt_tokens": self.count(prompt),
            "completion_tokens": self.count(text),
            "total_tokens": self.count(prompt) + self.count(text),
        }
        choice: dict = {"index": 0, "finish_reason": finish_reason}
        choice |= {"text": text} if "prompt" in body else {"message": {"role": "assistant", "content": text}}
        if self.gives_logprobs and body.get("logprobs"):
            choice["logprobs"] = {"content": [{"token": text[:1], "top_logprobs": probabilities(text)}]}
        return {"id": "x", "object": "completion", "model": body["model"], "choices": [choice], "usage": usage}

    def routes(self, app: web.Application) -> None:
        """For servers that can do more."""

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_post("/v1/chat/completions", self._handle)
        app.router.add_post("/v1/completions", self._handle)
        app.router.add_get("/health", lambda _: _ok())
        self.routes(app)
        return app

    def __enter__(self) -> "TeacherServer":
        self._serving = served(self._app, self.port, self.tls)
        self.port = self._serving.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._serving.__exit__(None, None, None)


async def _ok() -> web.Response:
    return web.json_response({"status": "ok"})


if __name__ == "__main__":
    # python teacher_server.py LOG [PORT]: stands in for a managed server too
    with TeacherServer(log=Path(sys.argv[1]), port=int(sys.argv[2]) if len(sys.argv) > 2 else 0) as server:
        sys.stdout.write(f"{server.port}\n")
        sys.stdout.flush()
        threading.Event().wait()
