"""The body of a 200 response -> an answer, or a failure if the body is not a complete answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from axolotl_augft.teacher.answer import Answer, Failure, Outcome, TokenChoice
from axolotl_augft.teacher.request import Request

_COMPLETE = {"stop", "eos", "eos_token", "end_turn", "stop_sequence", "stop_token", "complete"}
_CUT = {"length", "max_tokens", "max_output_tokens"}
_FILTERED = {"content_filter", "content_filtered", "safety", "recitation", "prohibited_content", "blocklist", "refusal"}
# SQLite's integers end at 2^63, JSON's exact ones at 2^53.
_MOST_TOKENS = 2**53
_OPENS, _CLOSES = "<think>", "</think>"


def read_answer(request: Request, content: bytes, content_type: str = "application/json") -> Answer | Failure:
    """Read the body of a 200 response.

    An answer counts only if it ended for a known reason, or if the server gives none. Stop sequences are applied again,
    because some servers ignore them.
    """
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        return Failure("broken JSON" if "json" in content_type else "wrong content type")
    if not isinstance(body, dict) or not body.get("choices"):
        return Failure("wrong shape")
    try:
        choice = body["choices"][0]
        message = choice if request.api == "completions" else choice["message"]
        said = _joined(message["text"] if request.api == "completions" else message.get("content") or "")
        usage = body.get("usage") or {}
        details = usage.get("prompt_tokens_details") or {}
        counts = usage.get("prompt_tokens"), details.get("cached_tokens"), usage.get("completion_tokens")
    except (LookupError, TypeError, AttributeError):
        reason = _reason(body["choices"])
        return Failure(f"finish_reason {reason}") if reason else Failure("wrong shape", lasting=True)
    ended = _ended(choice.get("finish_reason"))
    if isinstance(ended, Failure):
        return ended
    if not isinstance(said.text, str) or not all(map(_is_count, counts)):
        return Failure("wrong shape", lasting=True)
    if ended == "content_filter":
        return Answer(Outcome.FILTERED, "", ended, *counts)
    said = _without_reasoning(said.text, message.get("reasoning_content") or message.get("reasoning") or said.reasoning)
    text = said.text
    ends = [i for stop in request.sampling.stop if (i := text.find(stop)) >= 0]
    if ends:
        text, ended = text[: min(ends)], "stop"
    reasoning = said.reasoning if request.keep_reasoning or not said.reasoning else ""
    first_token = _first_token(choice.get("logprobs")) if dict(request.extra_body).get("logprobs") else None
    return Answer(Outcome.ANSWERED, text, ended, *counts, reasoning, first_token=first_token)


def _first_token(logprobs: Any) -> tuple[TokenChoice, ...] | None:
    """Read the choices for the first token, the most probable first; None if the server gave none that can be read.

    Chat answers hold them as `content[0].top_logprobs`, a list; completions as `top_logprobs[0]`, a mapping. Some
    servers use the first form for both.
    """
    try:
        if content := logprobs.get("content"):
            found = [(choice["token"], choice["logprob"]) for choice in content[0]["top_logprobs"]]
        else:
            found = list(logprobs["top_logprobs"][0].items())
    except (LookupError, TypeError, AttributeError):
        return None
    choices = [TokenChoice(token, float(p)) for token, p in found if isinstance(token, str) and _is_logprob(p)]
    return tuple(sorted(choices, key=lambda choice: (-choice.logprob, choice.token))) or None


def _is_logprob(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value <= 0


def _ended(reason: Any) -> str | Failure:
    """Translate the reason why an answer ended: `stop`, `length`, `content_filter`, or "" if the server gives none."""
    if reason is None or reason == "":
        return ""
    name = reason.casefold() if isinstance(reason, str) else ""
    for known, meant in ((_COMPLETE, "stop"), (_CUT, "length"), (_FILTERED, "content_filter")):
        if name in known:
            return meant
    return Failure(f"finish_reason {_short(name)}")


def _reason(choices: Any) -> str:
    """Return the finish reason of a choice that holds no message, "" unless it is one that marks a failure."""
    first = choices[0] if isinstance(choices, list) else None
    reason = first.get("finish_reason") if isinstance(first, dict) else None
    ended = _ended(reason)
    return _short(str(reason).casefold()) if isinstance(ended, Failure) else ""


def _short(name: str) -> str:
    """Return the name of a reason if it looks like a name, for a failure that is counted by it."""
    return name if name.replace("_", "").replace("-", "").isalnum() and len(name) <= 40 else "unknown"


def _is_count(value: Any) -> bool:
    return value is None or (type(value) is int and 0 <= value < _MOST_TOKENS)


@dataclass(frozen=True, slots=True)
class _TextAndReasoning:
    """A message's text, and the reasoning that came with it, None if none did."""

    text: Any
    reasoning: str | None = None


def _joined(content: Any) -> _TextAndReasoning:
    """Join a content that the server split into parts into text and reasoning; anything but a list stays as it is."""
    if not isinstance(content, list):
        return _TextAndReasoning(content)
    thinking = [part["thinking"] for part in content if part["type"] == "thinking"]
    text = "".join(part["text"] for part in content if part["type"] == "text")
    return _TextAndReasoning(text, "".join(_thoughts(thinking)) or None)


def _thoughts(parts: list[Any]) -> Iterator[str]:
    """Yield the texts of thinking parts, which may be nested to any depth."""
    waiting = parts[::-1]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, list):
            waiting += part[::-1]
        else:
            waiting.append(part["thinking"] if part["type"] == "thinking" else part["text"])


def _without_reasoning(text: str, field: Any) -> _TextAndReasoning:
    """Split off an answer's `<think>` block; the reasoning is `field` if the server gave it separately.

    Some chat templates open the block in the prompt, so that the answer holds only its end.
    """
    begins, end = text.find(_OPENS), text.find(_CLOSES)
    opened = begins >= 0 and not text[:begins].strip()
    if opened:
        end = text.find(_CLOSES, begins)
    elif begins >= 0 and begins < end:
        end = -1
    if not opened and end < 0:
        return _TextAndReasoning(text, field if isinstance(field, str) else None)
    thought = text[:end] if end >= 0 else text
    rest = text[end + len(_CLOSES) :].lstrip() if end >= 0 else ""
    thought = thought.replace(_OPENS, "").replace(_CLOSES, "").strip()
    return _TextAndReasoning(rest, field if isinstance(field, str) else thought)
