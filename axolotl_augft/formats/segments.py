"""Axolotl's `type: input_output`: raw segments of text, each trained on or not.

Segments hold the markup of a chat as text (`[INST]`, `<|im_end|>`, `### Response:`). A new row keeps all of it: the
last run of words before the answer is the question, the last trained segments are the answer, and only these words are
replaced. Earlier segments stay as context and are not trained on again.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from axolotl_augft.errors import SourceError
from axolotl_augft.formats.content import Augmentation, Content, Exchange, Turn, Unfit

_ROLE = r"(?:system|user|assistant|human|model|gpt|question|answer|instruction|input|response|q|a)"
_TOKEN = (
    rf"(?:<\|[^|<>]{{1,40}}\|>(?:{_ROLE}\b)?|</?s>|<(?:bos|eos|pad)>|<(?:start|end)_of_turn>(?:{_ROLE}\b)?"
    r"|\[/?INST\]|<</?SYS>>)"
)
_LABEL = rf"[#*\s]*{_ROLE}[*]*:"
_MARKUP = re.compile(rf"({_TOKEN}(?:{_LABEL})?|^{_LABEL}|^#+ *{_ROLE}\b:?)", re.IGNORECASE | re.MULTILINE)

_INPUT = re.compile(r"(?:^|>)[#*\s]*(?:input|context)\b[*]*:?\s*\Z", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class _Run:
    """A run of words between markup: where it stands, and the white space around it, which stays."""

    segment: int
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class SegmentFormat:
    """Rows of `segments`, each with `label` and `text`."""

    @property
    def writes(self) -> Literal["questions"]:
        """A question with its answer."""
        return "questions"

    @property
    def told_by(self) -> tuple[str, ...]:
        """The segments."""
        return ("segments",)

    def check_columns(self, columns: list[str], where: str) -> None:
        """Raises SourceError if the column of segments is missing, naming the columns that are there."""
        if "segments" not in columns:
            raise SourceError(
                f"{where}: no column 'segments'; the columns are {', '.join(columns)}. Name the column of segments so"
            )

    def read(self, row: Mapping[str, Any]) -> Content:
        """The last exchange, with the words before it."""
        segments = row["segments"]
        if not isinstance(segments, list) or not segments or not all(_is_segment(s) for s in segments):
            return Unfit("'segments' is no list of segments, each with label and text", trainable=False)
        first = _answer_start(segments)
        if first == len(segments):
            trained = any(s["label"] for s in segments)
            return Unfit("its segments end without an answer (the last label is false)", trainable=trained)
        runs, answer = _runs(segments[:first]), " ".join(run.text for run in _runs(segments[first:]))
        if not runs:
            return Unfit("its segments have no question before the answer", trainable=True)
        if not answer:
            return Unfit("its answer is empty", trainable=False)
        if _INPUT.search(segments[runs[-1].segment]["text"][: runs[-1].start]):
            return Unfit("its question has an input of its own", trainable=True)
        return Exchange(runs[-1].text, answer, tuple(Turn("context", run.text) for run in runs[:-1]))

    def row(self, source: Mapping[str, Any], augmentation: Augmentation) -> dict[str, Any]:
        """The source row with other words in the places of question and answer."""
        segments = [dict(s) for s in source["segments"]]
        first = _answer_start(segments)
        asked = _runs(segments[:first])[-1]
        segments[asked.segment]["text"] = _replaced(segments[asked.segment]["text"], asked, augmentation.question or "")
        before = [{**s, "label": False} for s in segments[:first]]
        answer = segments[first:] if augmentation.keeps_answer else _with_words(segments[first:], augmentation.text)
        return {**source, "segments": [*before, *answer]}


def _is_segment(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("text"), str) and isinstance(value.get("label"), bool)


def _answer_start(segments: Sequence[Mapping[str, Any]]) -> int:
    """Where the last trained segments begin; the number of segments if the last one is not trained."""
    start = len(segments)
    while start and segments[start - 1]["label"]:
        start -= 1
    return start


def _runs(segments: Sequence[Mapping[str, Any]]) -> list[_Run]:
    """The runs of words of all segments, without white space around them."""
    found = []
    for i, segment in enumerate(segments):
        text, start = segment["text"], 0
        for end, after in [*(m.span() for m in _MARKUP.finditer(text)), (len(text), len(text))]:
            if words := text[start:end].strip():
                at = text.index(words, start)
                found.append(_Run(i, at, at + len(words), words))
            start = after
    return found


def _replaced(text: str, run: _Run, words: str) -> str:
    return text[: run.start] + words + text[run.end :]


def _with_words(segments: Sequence[Mapping[str, Any]], words: str) -> list[dict[str, Any]]:
    """The answer's segments with its first run of words replaced and its other ones gone; markup stays."""
    new = [dict(s) for s in segments]
    runs = _runs(segments)
    for run in reversed(runs[1:]):
        new[run.segment]["text"] = _replaced(new[run.segment]["text"], run, "")
    new[runs[0].segment]["text"] = _replaced(new[runs[0].segment]["text"], runs[0], words)
    return [s for s in new if s["text"]]
