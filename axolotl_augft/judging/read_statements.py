"""An answer of the teacher model -> inferences: its statements and its reasoning trace; nothing is judged here.

Answers are read leniently: bullets, numbers, bold labels, JSON lists. `judging.rules` decides whether a statement is
kept.
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
    """One statement, one trace, or one question with its answer.

    Attributes:
        text: The statement, the trace or the answer.
        kind: Its kind: rephrasing, reversal, consequence, conclusion, trace, …
        sentence: Number of the sentence in the document that it is about, from 0; None if unknown.
        cut: The end is missing, because the teacher's answer reached `max_tokens`.
        question: The question that `text` answers, None for statements and traces.
        keeps_answer: The answer is the source row's own.
    """

    text: str
    kind: str
    sentence: int | None = None
    cut: bool = False
    question: str | None = None
    keeps_answer: bool = False

    @property
    def full_text(self) -> str:
        """The whole inference as one text; a pair as labelled question and answer."""
        return self.text if self.question is None else f"Question: {self.question}\nAnswer: {self.text}"


def read_inferences(task: Task, answer: Answer) -> list[Inference]:
    """Read the inferences of an answer, in order.

    Args:
        task: The task that was answered.
        answer: An answer whose outcome is `Outcome.ANSWERED`.
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
    """Drop the unfinished sentence at the end of a text that was cut."""
    ends = [m.end() for m in _SENTENCE_END.finditer(text)]
    return text[: ends[-1]] if ends else ""


def _unlabelled(trace: str) -> str:
    return re.sub(r"^\W*reasoning\W*:\s*", "", trace, flags=re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Item:
    """A statement as the teacher labelled it.

    Attributes:
        text: The statement, possibly with its labels.
        kind: Its kind, if it is labelled with one.
        number: Number of the sentence it is about, from 1 in the prompt, if it is labelled with one.
    """

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
    """Return the items of a JSON list, or of the first list in a JSON object; None for anything else."""
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
    """Strip bullets, sentence numbers and kinds from the start of a statement, in any order.

    The kind and number that the item already has take precedence over those found in its text.
    """
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
    """Strip bullets and sentence numbers from the start of a line."""
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
    """Return the kind that a label names, None if it names none."""
    return _KINDS.get(label[:5].lower()) if label else None


def _sentence(task: Task, number: int | None) -> int | None:
    """Return the position in the document of the sentence with this number in the prompt, None if there is none.

    In a request about a single sentence, every statement is about that sentence.
    """
    if len(task.sentences) == 1:
        return task.first_sentence
    return task.first_sentence + number - 1 if number is not None and 1 <= number <= len(task.sentences) else None
