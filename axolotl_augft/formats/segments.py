"""A `type: input_output` row -> its last question and answer; a new question and answer -> a row of segments.

The segments are raw text, each trained on or not, and include the markup of a chat (`[INST]`, `<|im_end|>`,
`### Response:`). The trained segments at the end are the answer, and the last run of words before them is the question.
A new row replaces only these words and keeps all markup. Earlier segments stay as context, but are not trained on
again.
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
# What may repeat is bounded: without bounds, a long run of white space would be searched anew from each of its lines.
_LABEL = rf"{_ROLE}[*]{{0,8}}:"
_MARKUP = re.compile(
    rf"({_TOKEN}(?:[#*\s]{{0,40}}{_LABEL})?|^[#* \t]{{0,40}}{_LABEL}|^#{{1,8}} {{0,8}}{_ROLE}\b:?)",
    re.IGNORECASE | re.MULTILINE,
)
_INPUT = re.compile(r"(?:^|>)[#*\s]{0,40}(?:input|context)\b[*]{0,8}:?\Z", re.IGNORECASE | re.MULTILINE)
_LONGEST_INPUT = 100  # characters; more than `_INPUT` matches


@dataclass(frozen=True)
class _Run:
    """A run of words between markup, without the white space around it.

    Attributes:
        segment: The index of its segment.
        start: The index of its first character in the segment.
        end: The index after its last character.
        text: The words.
    """

    segment: int
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class SegmentFormat:
    """Axolotl's `type: input_output`: a column `segments`, each segment with `label` and `text`."""

    @property
    def writes(self) -> Literal["questions"]:
        """Questions with their answers."""
        return "questions"

    @property
    def identity_columns(self) -> tuple[str, ...]:
        """The segments."""
        return ("segments",)

    def check_columns(self, columns: list[str], where: str) -> None:
        """Check the columns; see `Format.check_columns`."""
        if "segments" not in columns:
            raise SourceError(
                f"{where}: no column 'segments'; the columns are {', '.join(columns)}. Rename the column of "
                "segments to 'segments'"
            )

    def read(self, row: Mapping[str, Any]) -> Content:
        """Return the last exchange, with the words before it as context."""
        segments = row["segments"]
        if not isinstance(segments, list) or not segments or not all(_is_segment(s) for s in segments):
            return Unfit("'segments' is not a list of segments, each with label and text", trainable=False)
        first = _answer_start(segments)
        if first == len(segments):
            trained = any(s["label"] for s in segments)
            return Unfit("its segments end without an answer (the last label is false)", trainable=trained)
        runs, answer = _runs(segments[:first]), " ".join(run.text for run in _runs(segments[first:]))
        if not runs:
            return Unfit("its segments have no question before the answer", trainable=True)
        if not answer:
            return Unfit("its answer is empty", trainable=False)
        if _INPUT.search(segments[runs[-1].segment]["text"][: runs[-1].start].rstrip()[-_LONGEST_INPUT:]):
            return Unfit("its question has an input of its own", trainable=True)
        return Exchange(runs[-1].text, answer, tuple(Turn("context", run.text) for run in runs[:-1]))

    def row(self, source: Mapping[str, Any], augmentation: Augmentation) -> dict[str, Any]:
        """Copy the source row with the words of its question and answer replaced."""
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
    """Return the index of the first trained segment at the end; the number of segments if the last is untrained."""
    start = len(segments)
    while start and segments[start - 1]["label"]:
        start -= 1
    return start


def _runs(segments: Sequence[Mapping[str, Any]]) -> list[_Run]:
    """Find the runs of words in all segments."""
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
    """Copy an answer's segments with the first run of words replaced and the others removed; markup stays."""
    new = [dict(s) for s in segments]
    runs = _runs(segments)
    for run in reversed(runs[1:]):
        new[run.segment]["text"] = _replaced(new[run.segment]["text"], run, "")
    new[runs[0].segment]["text"] = _replaced(new[runs[0].segment]["text"], runs[0], words)
    return [s for s in new if s["text"]]
