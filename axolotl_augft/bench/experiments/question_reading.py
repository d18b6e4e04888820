"""A teacher's answer -> a multiple-choice question, or the reason why it is none.

Answers are read leniently, questions judged strictly.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from axolotl_augft.teacher.answer import Answer, Outcome

WRONG_CHOICES = 3
_PROMPT, _RIGHT, _WRONG = "prompt", "right", "wrong"
_NAMES = {
    **dict.fromkeys(("prompt", "question", "beginning", "stem"), _PROMPT),
    **dict.fromkeys(("right", "correct", "answer", "true"), _RIGHT),
    **dict.fromkeys(("wrong", "incorrect", "distractor", "distractors", "false"), _WRONG),
}
_LINE = re.compile(
    rf"^\W*(?:\d{{1,2}}[.)]\s*)?\W*({'|'.join(_NAMES)})(?:\s+(?:answers?|continuations?|choices?))?(?:\s*[#(]?\d+\)?)?[*_\s]*:[*_\s]*(.*)$",
    re.IGNORECASE,
)
_END = re.compile(r"^\s*(?:###|text:)", re.IGNORECASE)
_EXAMPLE_PROMPT = re.compile(r"^Prompt:(.*)$", re.MULTILINE)
_FENCE = re.compile(r"^\s*```\w*\s*|\s*```\s*$")
_GAP = re.compile(r"[\s_.…]*(?:_{2,}|\.{3}|…)[\s_.…?]*$")
_LEAD = re.compile(r"^[\s_]*(?:_{2,}|\.{3}|…)[\s_]*")
_WORD = re.compile(r"\w+")


class Rejection(StrEnum):
    """Why an answer gave no question."""

    EMPTY = "empty"
    MALFORMED = "malformed"
    COPIED_EXAMPLE = "copied_example"
    ANSWER_IN_PROMPT = "answer_in_prompt"
    RIGHT_AMONG_WRONG = "right_among_wrong"
    FEW_WRONG = "few_wrong"
    DUPLICATE = "duplicate"
    FILTERED = "content_filter"
    INVALID = "invalid_request"


@dataclass(frozen=True, slots=True)
class WrittenQuestion:
    """A question as the teacher wrote it; `wrong` holds three different continuations."""

    prompt: str
    right: str
    wrong: tuple[str, ...]

    @property
    def key(self) -> str:
        """Equal for questions that ask the same, whatever their choices."""
        return _words(self.prompt)

    def shuffled(self) -> tuple[str, ...]:
        """All choices, in an order that depends on the question's content alone."""
        return tuple(
            sorted((self.right, *self.wrong), key=lambda c: hashlib.sha256(f"{self.prompt}\0{c}".encode()).digest())
        )


def read_question(answer: Answer, examples: str, opened: bool) -> WrittenQuestion | Rejection:
    """The first question of an answer.

    Args:
        answer: A final answer.
        examples: The part of the prompt with worked examples, from which nothing may be copied.
        opened: Whether the prompt's last word was "Prompt:", so that the answer goes on after it.
    """
    if answer.outcome is not Outcome.ANSWERED:
        return Rejection.FILTERED if answer.outcome is Outcome.FILTERED else Rejection.INVALID
    text = _FENCE.sub("", answer.text).strip()
    if not text:
        return Rejection.EMPTY
    if opened and not _LINE.match(text.splitlines()[0]):
        text = f"Prompt: {text}"
    parts = _from_json(text) or _from_lines(_complete_lines(text, answer.was_cut))
    return _judge(parts, examples)


@dataclass(frozen=True)
class _Parts:
    prompt: str = ""
    right: str = ""
    wrong: tuple[str, ...] = ()


def _complete_lines(text: str, was_cut: bool) -> list[str]:
    """The lines; the last one of an answer that was cut is not finished."""
    return text.splitlines()[:-1] if was_cut else text.splitlines()


def _from_lines(lines: Iterable[str]) -> _Parts:
    prompt = right = ""
    wrong: list[str] = []
    last = ""
    for line in lines:
        match = _LINE.match(line)
        if prompt and (_END.match(line) or (match and _NAMES[match[1].lower()] == _PROMPT)):
            break
        if match is None:
            # Wrong continuations may stand below one label, as a list.
            if last == _WRONG and (item := re.sub(r"^\s*(?:[-*•]|\(?\w[.)])\s+", "", line).strip()):
                wrong.append(item)
            continue
        last, value = _NAMES[match[1].lower()], match[2].strip()
        if last == _PROMPT:
            prompt = value
        elif last == _RIGHT:
            right = right or value
        elif value:
            wrong.append(value)
    return _cleaned(prompt, right, wrong)


def _from_json(text: str) -> _Parts | None:
    """A JSON object, or the first one of a list; None if the text is not JSON."""
    if text[:1] not in "[{":
        return None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    item = value[0] if isinstance(value, list) and value else value
    if not isinstance(item, dict):
        return None
    found: dict[str, Any] = {_NAMES[k.lower()]: v for k, v in item.items() if k.lower() in _NAMES}
    wrong = found.get(_WRONG)
    prompt, right = (v if isinstance(v := found.get(name), str) else "" for name in (_PROMPT, _RIGHT))
    return _cleaned(prompt, right, [w for w in wrong if isinstance(w, str)] if isinstance(wrong, list) else [])


def _cleaned(prompt: str, right: str, wrong: Sequence[str]) -> _Parts:
    """Without gaps, quotation marks around all of it, or the prompt said again at the start of a continuation."""
    beginning = _GAP.sub("", _bare(prompt)).strip()

    def continuation(text: str) -> str:
        bare = _LEAD.sub("", _bare(text))
        return (
            bare[len(beginning) :].strip()
            if beginning and bare.casefold().startswith(f"{beginning} ".casefold())
            else bare.strip()
        )

    return _Parts(beginning, continuation(right), tuple(continuation(w) for w in wrong))


def _bare(text: str) -> str:
    text = text.strip().strip("*").strip()
    for opening, closing in ('""', "“”", "``"):
        if len(text) > 2 and text[0] == opening and text[-1] == closing and opening not in text[1:-1]:
            return text[1:-1].strip()
    return text


def _judge(parts: _Parts, examples: str) -> WrittenQuestion | Rejection:
    prompt, right = _words(parts.prompt), _words(parts.right)
    if not prompt or not right:
        return Rejection.MALFORMED
    if prompt in {_words(p) for p in _EXAMPLE_PROMPT.findall(examples)}:
        return Rejection.COPIED_EXAMPLE
    if f" {right} " in f" {prompt} ":
        return Rejection.ANSWER_IN_PROMPT
    wrong: dict[str, str] = {}
    for choice in parts.wrong:
        wrong.setdefault(_words(choice), choice)
    if right in wrong:
        return Rejection.RIGHT_AMONG_WRONG
    different = [choice for words, choice in wrong.items() if words]
    if len(different) < WRONG_CHOICES:
        return Rejection.FEW_WRONG
    return WrittenQuestion(parts.prompt, parts.right, tuple(different[:WRONG_CHOICES]))


def _words(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold()))
