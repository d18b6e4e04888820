"""Result -> its documents, each with its kept and its rejected statements, in source order, as a stream.

The result is a finished one, or one of the answers so far. It reads what the stage wrote (Parquet files,
`rejected.jsonl`) and the sources, and asks no teacher. Columns that a
result lacks, such as probabilities without `verify`, are None.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq

from axolotl_augft.config.entries import DatasetEntry
from axolotl_augft.formats import Format
from axolotl_augft.formats.chat import ChatFormat
from axolotl_augft.formats.content import Exchange, Text
from axolotl_augft.output.card import shown_path
from axolotl_augft.output.manifest import WrittenEntry
from axolotl_augft.output.row_file import REJECTED
from axolotl_augft.sources.documents import Document, read_documents
from axolotl_augft.sources.source import Source, content_format

_ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that the teacher wrote, kept or rejected.

    Attributes:
        text: The statement, the trace or the answer; with sentence splitting, one sentence of it.
        question: The question that `text` answers, None for statements and traces.
        strategy: Name of the strategy that asked for it.
        kind: Its kind.
        reason: Why it was rejected, None if it is kept.
        sentence: Number of the sentence of the document that it is about, from 0; None if unknown.
        document: Id of the document that it was written about.
        request: Key of the request in the response store, hexadecimal; None if no teacher was asked.
        sample: Number of the sample of its prompt, from 0; None likewise.
        probability: Probability that it must be true if its premises are, None if not verified.
        alone: Probability that it can be understood without its source, None if not verified.
        rests_on: Ids of the documents that it follows from, as far as known.
        overruled: What it was rejected for before a person brought it in, None for others.
    """

    text: str
    question: str | None
    strategy: str
    kind: str
    reason: str | None
    sentence: int | None
    document: str
    request: str | None
    sample: int | None
    probability: float | None = None
    alone: float | None = None
    rests_on: tuple[str, ...] = ()
    overruled: str | None = None

    @property
    def pair(self) -> str:
        """The statement on one line: a pair as question and answer, with an arrow between them."""
        return self.text if self.question is None else f"{self.question} → {self.text}"


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A document beside what the teacher wrote about it.

    Attributes:
        document: The document.
        file: Where it comes from: the file of a folder, else the path of the entry, of which an absolute one is cut to
            its last part.
        section: Heading of its section, "" if it has none.
        statements: What the teacher wrote, kept first.
    """

    document: Document
    file: str
    section: str
    statements: tuple[Statement, ...]


def read_reviewed(folder: Path, entries: tuple[WrittenEntry, ...], sources: list[Source]) -> Iterator[Reviewed]:
    """Yield each document of the augmented sources, in source order, whether or not anything was written about it.

    Args:
        folder: The result's folder.
        entries: The entries of its manifest.
        sources: The sources, loaded as they were when the result was made.
    """
    found = heapq.merge(_all_kept(folder, entries, sources), _rejected(folder), key=lambda s: s[0])
    by_row = groupby(found, key=lambda s: s[0])
    place, statements = next(by_row, (None, iter(())))
    for document in read_documents(sources):
        own: tuple[Statement, ...] = ()
        while place is not None and place <= (document.entry, document.row):
            own += tuple(statement for _, statement in statements)
            place, statements = next(by_row, (None, iter(())))
        source = sources[document.entry]
        columns = source.reader[document.row] if source.conversion else {}
        file = columns.get("augft_file") or shown_path(source.path)
        yield Reviewed(document, file, columns.get("augft_section") or "", own)


def read_statements(
    folder: Path, entries: tuple[WrittenEntry, ...], datasets: Sequence[DatasetEntry]
) -> tuple[Iterator[Statement], Iterator[Statement]]:
    """Return the kept and the rejected statements of a result, without loading its sources.

    Args:
        folder: The result's folder.
        entries: The entries of its manifest.
        datasets: The recipe's entries, which say how rows are read.
    """
    kept = (
        statement
        for written, entry in zip(entries, datasets, strict=True)
        for file, form in (
            (written.augmented, None if written.segments else content_format(entry)),
            (written.questions, ChatFormat()),
        )
        for _, statement in _kept(folder, file, form)
    )
    return kept, (statement for _, statement in _rejected(folder))


_Placed = tuple[tuple[int, int], Statement]


def _all_kept(folder: Path, entries: tuple[WrittenEntry, ...], sources: list[Source]) -> Iterator[_Placed]:
    for source, written in zip(sources, entries, strict=True):
        if source.format is not None:
            rows = heapq.merge(
                _kept(folder, written.augmented, None if written.segments else source.format),
                _kept(folder, written.questions, ChatFormat()),
                key=lambda s: s[0],
            )
            for row, statement in rows:
                yield (source.entry, row), statement


def _kept(folder: Path, file: Any, form: Format | None) -> Iterator[tuple[int, Statement]]:
    """Yield the statements of a Parquet file with their row numbers; without a format, of segments."""
    if file is None:
        return
    with pq.ParquetFile(folder / file.name) as parquet:
        for batch in parquet.iter_batches(_ROWS_AT_ONCE):
            for row in batch.to_pylist():
                question, text = _content(row, form)
                yield row["augft_row"], _statement(row, text, question)


def _content(row: Mapping[str, Any], form: Format | None) -> tuple[str | None, str]:
    """Return the question (None for a plain text) and the text of a row."""
    if form is None:
        return None, next((s["text"].strip() for s in reversed(row["segments"]) if s["label"]), "")
    match form.read(row):
        case Text(text):
            return None, text
        case Exchange(question, answer):
            return question, answer
        case _:
            return None, ""


def _rejected(folder: Path) -> Iterator[_Placed]:
    with (folder / REJECTED).open("rb") as file:
        for line in file:
            item = orjson.loads(line)
            statement = _statement(item, item["text"], item.get("question"), item["reason"])
            yield (item["entry"], item["augft_row"]), statement


def _statement(row: Mapping[str, Any], text: str, question: str | None, reason: str | None = None) -> Statement:
    """Make a statement of a row's provenance."""
    return Statement(
        text,
        question,
        row["augft_strategy"],
        row["augft_kind"],
        reason,
        row["augft_sentence"],
        row["augft_document"],
        row["augft_request"],
        row["augft_sample"],
        row["augft_probability"],
        row["augft_alone"],
        tuple(row["augft_rests_on"] or ()),
        row["augft_overruled"],
    )
