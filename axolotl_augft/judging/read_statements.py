"""An answer -> inferences: the statements (and trace) that the teacher wrote, each with its bearings. Nothing is judged here.

Answers are read leniently: bullets, numbers, bold labels, JSON lists. Whether a statement is kept is decided in
`judging`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from axolotl_augft.strategies.task import Task
from axolotl_augft.teacher.answer import Answer

_BULLET = re.compile(r"^\s*(?:[-*•–—>]\s+|\(?\d{1,3}[.):]\s+)+")
_SENTENCE_NUMBER = re.compile(r"^\s*[\[(](\d{1,3})[\])]\s*[:.]?\s*")
_KIND = re.compile(
    r"^\s*\W{0,2}\b(rephras\w*|paraphras\w*|revers\w*|consequen\w*|conclusions?)\b(?:\s*\d+)?\W{0,2}\s*[:.)]\s*\W{0,2}",
    re.IGNORECASE,
)
_KINDS = {
    "rephr": "rephrasing",
    "parap": "rephrasing",
    "rever": "reversal",
    "conse": "consequence",
    "concl": "conclusion",
}
_CONCLUSIONS = re.compile(r"^[\s#*_]*(?:final\s+)?conclusions?[\s*_]*:?[\s*_]*$", re.IGNORECASE | re.MULTILINE)
_FENCE = re.compile(r"^\s*```\w*\s*|\s*```\s*$")
_SENTENCE_END = re.compile(r"[.!?](?=\s)|[。！？]")
_WRAPPING = ('""', "“”", "**", "``")


@dataclass(frozen=True, slots=True)
class Inference:
    """One statement or trace, or the answer to a `question`.

    `sentence`: number (from 0, in the document) of the sentence it is about, if it says one. `cut`: it is the last of
    an answer that reached `max_tokens`, so its end is missing. `keeps_answer`: the answer is the source row's own.
    """

    text: str
    kind: str
    sentence: int | None = None
    cut: bool = False
    question: str | None = None
    keeps_answer: bool = False

    @property
    def whole(self) -> str:
        """All that it says, in one text."""
        return self.text if self.question is None else f"Question: {self.question}\nAnswer: {self.text}"


def read_inferences(task: Task, answer: Answer) -> list[Inference]:
    """The inferences of an answer, in its order.

    Args:
        task: What was asked.
        answer: An answered request's answer.
    """
    text = _FENCE.sub("", answer.text).strip()
    if not text:
        return []
    if not task.reading.ends_in_conclusions:
        return list(_statements(text, task.kind, task, answer.was_cut))
    return _trace_and_conclusions(text, task, answer.was_cut)


def _trace_and_conclusions(text: str, task: Task, was_cut: bool) -> list[Inference]:
    keep = task.reading.keep
    marks = list(_CONCLUSIONS.finditer(text))
    trace, conclusions = (text[: marks[-1].start()], text[marks[-1].end() :]) if marks else (text, "")
    found = []
    if was_cut and not marks:
        complete = _complete_sentences(trace)
        if not complete:
            return [Inference(trace.strip(), "trace", cut=True)]
        trace = complete
    if keep != "conclusions" and trace.strip():
        found.append(Inference(_unlabelled(trace.strip()), "trace"))
    if keep != "trace":
        found.extend(_statements(conclusions, "conclusion", task, was_cut))
    return found


def _complete_sentences(text: str) -> str:
    """What stands before the unfinished end of a text that was cut."""
    ends = [m.end() for m in _SENTENCE_END.finditer(text)]
    return text[: ends[-1]] if ends else ""


def _unlabelled(trace: str) -> str:
    return re.sub(r"^\W*reasoning\W*:\s*", "", trace, flags=re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Item:
    """A statement with what it says of itself: its kind, and the number (from 1) of the sentence that it is about."""

    text: str
    kind: str | None = None
    number: int | None = None


def _statements(text: str, kind: str, task: Task, was_cut: bool) -> Iterator[Inference]:
    items = _json_items(text)
    if items is None:
        items = [_Item(line) for line in text.splitlines() if line.strip()]
    for i, item in enumerate(items):
        peeled = _peel(item)
        sentence = _sentence(task, peeled.number)
        yield Inference(peeled.text, peeled.kind or kind, sentence, cut=was_cut and i == len(items) - 1)


def _json_items(text: str) -> list[_Item] | None:
    """The items of a JSON list of strings or objects (or of an object that holds one list), else None."""
    if text[:1] not in "[{" or _SENTENCE_NUMBER.match(text):
        return None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if isinstance(value, dict):
        value = next((v for v in value.values() if isinstance(v, list)), None)
    if not isinstance(value, list):
        return None
    return [_json_item(item) for item in value]


def _json_item(item: Any) -> _Item:
    if not isinstance(item, dict):
        return _Item(str(item))
    text = next((item[k] for k in ("statement", "text", "conclusion") if isinstance(item.get(k), str)), "")
    number = item.get("sentence")
    return _Item(text, kind_of(str(item.get("kind") or "")), number if isinstance(number, int) else None)


def _peel(item: _Item) -> _Item:
    """Takes bullet, sentence number and kind off a statement, in whatever order they stand; what it said of itself before goes first."""
    number: int | None = None
    kind: str | None = None
    body = item.text.strip()
    while True:
        if match := _SENTENCE_NUMBER.match(body):
            number = int(match[1])
        elif match := _KIND.match(body):
            kind = kind_of(match[1])
        elif not (match := _BULLET.match(body)):
            break
        body = body[match.end() :]
    return _Item(_unwrapped(body.strip()), item.kind or kind, item.number if item.number is not None else number)


def without_bullet(line: str) -> str:
    """A line without bullets and numbers before it."""
    body = line.strip()
    while match := _BULLET.match(body) or _SENTENCE_NUMBER.match(body):
        body = body[match.end() :]
    return body


def _unwrapped(text: str) -> str:
    for pair in _WRAPPING:
        mark = pair if pair == "**" else pair[0]
        end = pair if pair == "**" else pair[1]
        if (
            len(text) > 2 * len(mark)
            and text.startswith(mark)
            and text.endswith(end)
            and mark not in text[len(mark) : -len(end)]
        ):
            return text[len(mark) : -len(end)].strip()
    return text


def kind_of(label: str | None) -> str | None:
    """The kind that a label names, None if it names none."""
    return _KINDS.get(label[:5].lower()) if label else None


def _sentence(task: Task, number: int | None) -> int | None:
    """A request about one sentence needs no number; a number that is not there is dropped."""
    if len(task.sentences) == 1:
        return task.first_sentence
    return task.first_sentence + number - 1 if number is not None and 1 <= number <= len(task.sentences) else None
