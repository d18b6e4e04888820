"""What is asked: a prompt, its sampling settings and the content key under which the answer is stored."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import orjson

KEY_VERSION = 1


@dataclass(frozen=True, slots=True)
class Sampling:
    """How an answer is drawn. `seed` tells the samples of one prompt apart."""

    temperature: float
    top_p: float | None
    max_tokens: int
    stop: tuple[str, ...]
    seed: int


@dataclass(frozen=True)
class Prefix:
    """The part of a prompt that many requests share: instructions, worked examples, a context group's documents."""

    system: str
    text: str

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the prefix, computed once for all requests that share the object."""
        return hashlib.sha256(orjson.dumps([self.system, self.text])).digest()


@dataclass(frozen=True)
class Request:
    """One question to the teacher.

    `teacher_id` stands for the model, never for its address. `extra_body` holds further fields of the JSON body.
    """

    teacher_id: str
    api: Literal["chat", "completions"]
    prefix: Prefix
    target: str
    sampling: Sampling
    sample: int
    extra_body: tuple[tuple[str, Any], ...] = ()

    @cached_property
    def key(self) -> bytes:
        """SHA-256 over everything that changes the answer: not the address, the time limit or the number in flight."""
        s = self.sampling
        content = [
            *("augft-request", KEY_VERSION, self.teacher_id, self.api, self.prefix.digest.hex(), self.target),
            *(s.temperature, s.top_p, s.max_tokens, s.stop, s.seed, self.sample, dict(self.extra_body)),
        ]
        return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).digest()

    def body(self, model: str) -> dict[str, Any]:
        """The JSON body for an OpenAI-compatible server."""
        s = self.sampling
        body: dict[str, Any] = {
            "model": model,
            "max_tokens": s.max_tokens,
            "temperature": s.temperature,
            "seed": s.seed,
        }
        if s.top_p is not None:
            body["top_p"] = s.top_p
        if s.stop:
            body["stop"] = list(s.stop)
        if self.api == "completions":
            body["prompt"] = self.prefix.system + self.prefix.text + self.target
        else:
            system = [{"role": "system", "content": self.prefix.system}] if self.prefix.system else []
            body["messages"] = [*system, {"role": "user", "content": self.prefix.text + self.target}]
        return {**body, **dict(self.extra_body)}
