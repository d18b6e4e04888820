"""A prompt and its sampling settings -> a request, with the key under which its answer is stored."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import orjson

KEY_VERSION = 1
# Computing a shorter prefix takes less time than waiting for another request to cache it.
_LONG = 8 * 1024


@dataclass(frozen=True, slots=True)
class Sampling:
    """Sampling settings of a request. `max_tokens` limits the answer; each sample of a prompt has its own `seed`."""

    temperature: float
    top_p: float | None
    max_tokens: int
    stop: tuple[str, ...]
    seed: int


@dataclass(frozen=True)
class Prefix:
    """The part of a prompt that many requests share: instructions, worked examples, the documents of a context group.

    Its digest and JSON are computed once for all requests that share the object.
    """

    system: str
    text: str

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the system prompt and the text."""
        return hashlib.sha256(orjson.dumps([self.system, self.text])).digest()

    @cached_property
    def size(self) -> int:
        """Length in characters."""
        return len(self.system) + len(self.text)

    @property
    def is_long(self) -> bool:
        """Whether it is worth waiting for a server that has this prefix in its cache."""
        return self.size >= _LONG

    @cached_property
    def opened_messages(self) -> bytes:
        """The JSON of a chat body's `messages`, up to where the target begins."""
        system = [{"role": "system", "content": self.system}] if self.system else []
        return orjson.dumps([*system, {"role": "user", "content": self.text}])[: -len(b'"}]')]

    @cached_property
    def opened_prompt(self) -> bytes:
        """The JSON of a completions body's `prompt`, up to where the target begins."""
        return orjson.dumps(self.system + self.text)[:-1]


@dataclass(frozen=True)
class Request:
    """One request to the teacher.

    Attributes:
        teacher_id: Identifies the model, never the server's address.
        api: The kind of endpoint.
        prefix: The part of the prompt that other requests share.
        target: The rest of the prompt, which is specific to this request.
        sampling: Sampling settings.
        sample: Number of this sample among those of the same prompt, from 0.
        extra_body: Further fields of the JSON body; None removes a field.
        keep_reasoning: Whether to store reasoning that comes with the answer; not part of the key.
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
        """SHA-256 of everything that changes the answer; not the server's address, time limits or concurrency."""
        s = self.sampling
        content = [
            *("augft-request", KEY_VERSION, self.teacher_id, self.api, self.prefix.digest.hex(), self.target),
            *(s.temperature, s.top_p, s.max_tokens, s.stop, s.seed, self.sample, dict(self.extra_body)),
        ]
        return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).digest()

    @property
    def size(self) -> int:
        """Length of the prompt in characters."""
        return self.prefix.size + len(self.target)

    def settings(self, model: str) -> dict[str, Any]:
        """Return the JSON body for an OpenAI-compatible server, without the prompt."""
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
        """Return the whole JSON body."""
        if self.api == "completions":
            prompt: dict[str, Any] = {"prompt": self.prefix.system + self.prefix.text + self.target}
        else:
            system = [{"role": "system", "content": self.prefix.system}] if self.prefix.system else []
            prompt = {"messages": [*system, {"role": "user", "content": self.prefix.text + self.target}]}
        return {**prompt, **self.settings(model)}

    def encoded(self, settings: dict[str, Any]) -> bytes:
        """Return the whole encoded JSON body with these settings; the prefix is not encoded again for each request."""
        target, rest = orjson.dumps(self.target)[1:], orjson.dumps(settings)[1:]
        if self.api == "completions":
            return b'{"prompt":%b%b,%b' % (self.prefix.opened_prompt, target, rest)
        return b'{"messages":%b%b}],%b' % (self.prefix.opened_messages, target, rest)
