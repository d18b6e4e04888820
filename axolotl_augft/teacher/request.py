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
    """The part of a prompt that many requests share: instructions, worked examples, a context group's documents.

    What is made of it (a digest, JSON) is made once for all requests that share the object.
    """

    system: str
    text: str

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the prefix."""
        return hashlib.sha256(orjson.dumps([self.system, self.text])).digest()

    @cached_property
    def size(self) -> int:
        """Characters."""
        return len(self.system) + len(self.text)

    @cached_property
    def opened_messages(self) -> bytes:
        """A chat body's `messages` in JSON, up to where the target begins."""
        system = [{"role": "system", "content": self.system}] if self.system else []
        return orjson.dumps([*system, {"role": "user", "content": self.text}])[: -len(b'"}]')]

    @cached_property
    def opened_prompt(self) -> bytes:
        """A completions body's `prompt` in JSON, up to where the target begins."""
        return orjson.dumps(self.system + self.text)[:-1]


@dataclass(frozen=True)
class Request:
    """One question to the teacher.

    `teacher_id` stands for the model, never for its address. `extra_body` holds further fields of the JSON body; None
    removes one. `keep_reasoning`: whether the reasoning that comes with the answer is stored too; it is no part of the
    key.
    """

    teacher_id: str
    api: Literal["chat", "completions"]
    prefix: Prefix
    target: str
    sampling: Sampling
    sample: int
    extra_body: tuple[tuple[str, Any], ...] = ()
    keep_reasoning: bool = False

    @cached_property
    def key(self) -> bytes:
        """SHA-256 over everything that changes the answer: not the address, the time limit or the number in flight."""
        s = self.sampling
        content = [
            *("augft-request", KEY_VERSION, self.teacher_id, self.api, self.prefix.digest.hex(), self.target),
            *(s.temperature, s.top_p, s.max_tokens, s.stop, s.seed, self.sample, dict(self.extra_body)),
        ]
        return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).digest()

    @property
    def size(self) -> int:
        """Characters of the prompt."""
        return self.prefix.size + len(self.target)

    def settings(self, model: str) -> dict[str, Any]:
        """The JSON body for an OpenAI-compatible server, but for the prompt."""
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
        return {k: v for k, v in {**body, **dict(self.extra_body)}.items() if v is not None}

    def body(self, model: str) -> dict[str, Any]:
        """The whole JSON body."""
        if self.api == "completions":
            prompt: dict[str, Any] = {"prompt": self.prefix.system + self.prefix.text + self.target}
        else:
            system = [{"role": "system", "content": self.prefix.system}] if self.prefix.system else []
            prompt = {"messages": [*system, {"role": "user", "content": self.prefix.text + self.target}]}
        return {**prompt, **self.settings(model)}

    def encoded(self, settings: dict[str, Any]) -> bytes:
        """The whole JSON body with these settings. The prefix is copied, not encoded anew: a long one costs little."""
        target, rest = orjson.dumps(self.target)[1:], orjson.dumps(settings)[1:]
        if self.api == "completions":
            return b'{"prompt":%b%b,%b' % (self.prefix.opened_prompt, target, rest)
        return b'{"messages":%b%b}],%b' % (self.prefix.opened_messages, target, rest)
