"""Statements that a person took out or brought in (`augft.marks`) -> applied to what was judged, as its last step.

A mark names a statement by its content: the id of its document, its question if it has one, and its text. So it
outlives changes of prompts and settings, and needs no teacher. The page of `axolotl augft report` and `axolotl augft
mark` write the file: JSON Lines, one mark a line.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import orjson

from axolotl_augft.errors import ConfigError
from axolotl_augft.judging.read_statements import Inference
from axolotl_augft.judging.rules import Judged, Reason
from axolotl_augft.text.sentences import split_sentences

_SHOWN_LINES = 5
_Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark.

    Attributes:
        mark: Whether the statement is taken out or brought in.
        document: Id of its document.
        text: Its text; spaces and line breaks do not matter.
        question: Its question, None for a statement.
    """

    mark: Literal["out", "in"]
    document: str
    text: str
    question: str | None = None

    @property
    def key(self) -> _Key:
        """What two marks of the same statement have in common."""
        return content_key(self.document, self.question, self.text)

    def as_line(self) -> bytes:
        """Return the mark as a line of its file."""
        asked = {} if self.question is None else {"question": self.question}
        line = {"mark": self.mark, "document": self.document, **asked, "text": self.text}
        return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def content_key(document: str, question: str | None, text: str) -> _Key:
    """Return what identifies a statement, whatever its spaces and line breaks."""
    return document, " ".join((question or "").split()), " ".join(text.split())


def read_marks(path: Path) -> list[Mark]:
    """Read a file of marks; of several marks of a statement, the last one counts.

    Raises:
        ConfigError: The file cannot be read, or a line is not a mark.
    """
    marks: dict[_Key, Mark] = {}
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    mark = _read(line, f"augft.marks: {path} line {number}")
                    marks[mark.key] = mark
    except OSError as error:
        raise ConfigError(
            f"augft.marks: {path.absolute()}: cannot be read ({error.strerror}); move the marks that the page saved "
            "there, or remove the key"
        ) from None
    return list(marks.values())


def _read(line: bytes, where: str) -> Mark:
    try:
        values: Any = orjson.loads(line)
    except orjson.JSONDecodeError:
        values = None
    if not isinstance(values, Mapping) or values.get("mark") not in ("out", "in"):
        raise ConfigError(f'{where}: not a mark; expected {{"mark": "out" or "in", "document": …, "text": …}}')
    texts = [values.get(key) for key in ("document", "text")]
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise ConfigError(f"{where}: a mark must name the document and the text of a statement")
    question = values.get("question")
    if not isinstance(question, str | None):
        raise ConfigError(f"{where}: question must be a text, got {type(question).__name__}")
    return Mark(values["mark"], values["document"], values["text"], question)


class Marks:
    """Applies marks to judged statements, and remembers which of them matched.

    Args:
        marks: The marks.
        language: ISO 639 code of the documents' language.
        endings: What may follow a sentence in a row that holds only one (`sentence_splitting`), so that a mark may name
            one sentence of a statement. None if rows hold whole statements.
    """

    def __init__(self, marks: Iterable[Mark], language: str = "en", endings: Collection[str] | None = None) -> None:
        self._marks = {mark.key: mark for mark in marks}
        self._language = language
        self._endings = endings
        self._matched: set[_Key] = set()
        self._kept_back: set[_Key] = set()
        self._documents: set[str] = set()
        self._brought_in: set[_Key] = set()

    def apply(self, judged: Iterable[Judged]) -> Iterator[Judged]:
        """Yield all statements in order, with the verdicts that the marks give them."""
        if not self._marks:
            yield from judged
            return
        for j in judged:
            self._documents.add(j.task.target.id)
            yield self._applied(j)

    def _applied(self, judged: Judged) -> Judged:
        for key in self._keys(judged.task.target.id, judged.inference):
            mark = self._marks.get(key)
            if mark is None:
                continue
            self._matched.add(key)
            if mark.mark == "out":
                return judged if judged.rejected else replace(judged, rejected=Reason.MARKED)
            return self._in(judged, key)
        return judged

    def _in(self, judged: Judged, key: _Key) -> Judged:
        """Keep a statement, once however often the teacher wrote it."""
        if judged.rejected is Reason.LEAK:
            self._kept_back.add(key)
            return judged
        if key in self._brought_in:
            return judged if judged.rejected else replace(judged, rejected=Reason.DUPLICATE)
        self._brought_in.add(key)
        return replace(judged, rejected=None, overruled=judged.rejected, brought_in=True)

    def _keys(self, document: str, inference: Inference) -> Iterator[_Key]:
        yield content_key(document, inference.question, inference.text)
        if self._endings is not None and inference.question is None:
            for sentence in split_sentences(inference.text, self._language):
                yield from (content_key(document, None, sentence + ending) for ending in self._endings)

    @property
    def count(self) -> int:
        """Number of marks."""
        return len(self._marks)

    @property
    def matched(self) -> int:
        """Number of marks that a statement was found for so far."""
        return len(self._matched)

    def warnings(self) -> Iterator[str]:
        """Yield what a user should know once all statements have been seen, one line each."""
        lost = [mark for key, mark in self._marks.items() if key not in self._matched]
        foreign = [mark for mark in lost if mark.document not in self._documents]
        stale = len(lost) - len(foreign)
        if foreign:
            ids = ", ".join(list(dict.fromkeys(m.document for m in foreign))[:_SHOWN_LINES])
            yield (
                f"{len(foreign)} of {len(self._marks)} marks are of documents about which nothing was written here "
                f"({ids}{' …' if len(foreign) > _SHOWN_LINES else ''}); are they of another data set?"
            )
        if stale:
            yield f"{stale} of {len(self._marks)} marks match no statement any more; nothing like it was written"
        if self._kept_back:
            yield (
                f"{len(self._kept_back)} statements that marks bring in stay out, because they state the answer of a "
                "held-out row"
            )
