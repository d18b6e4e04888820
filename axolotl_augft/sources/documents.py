"""Source rows -> documents: what the teacher sees of them, with each distinct text once."""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from axolotl_augft.files.digest_set import DigestSet
from axolotl_augft.formats.content import Exchange, Unfit
from axolotl_augft.sources.source import Source


class Place(NamedTuple):
    """A row of a `datasets` entry; places are ordered as their rows are."""

    entry: int
    row: int


@dataclass(frozen=True, slots=True)
class Document:
    """What the teacher sees of a source row.

    Attributes:
        id: First 8 hexadecimal digits of the text's SHA-256; independent of the order of the rows.
        text: The text; for an exchange, its earlier turns, question and answer.
        entry: Index of the `datasets` entry that holds it first.
        row: Number of the first row of that entry that holds it.
        exchange: The question and answer, None for plain text.
    """

    id: str
    text: str
    entry: int
    row: int
    exchange: Exchange | None = None

    @property
    def place(self) -> Place:
        """Where it stands among all documents; parts of a long document stand in the same place."""
        return Place(self.entry, self.row)


def document_id(text: str) -> str:
    """Return the id of the document with this text."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def read_documents(sources: Iterable[Source]) -> Iterator[Document]:
    """Yield the documents of all augmented sources in source order, without repeated texts."""
    seen = DigestSet()
    for source in sources:
        if source.format is None:
            continue
        for i, content in source.training_contents():
            if isinstance(content, Unfit):
                continue
            digest = hashlib.sha256(content.text.encode())
            if seen.add(digest.digest()):
                exchange = content if isinstance(content, Exchange) else None
                yield Document(digest.hexdigest()[:8], content.text, source.entry, i, exchange)


class Documents:
    """The documents of several sources; each iteration reads the rows again instead of keeping them in memory."""

    def __init__(self, sources: list[Source]) -> None:
        self._sources = [s for s in sources if s.format is not None]
        self._count: int | None = None

    def __iter__(self) -> Iterator[Document]:
        count = 0
        for document in read_documents(self._sources):
            yield document
            count += 1
        self._count = count

    def of(self, entries: Collection[int]) -> "Documents":
        """Return the documents of the `datasets` entries with these indices."""
        chosen = [s for s in self._sources if s.entry in entries]
        return self if len(chosen) == len(self._sources) else Documents(chosen)

    @property
    def rows(self) -> int:
        """Number of training rows: an upper bound of `count` that needs no reading."""
        return sum(len(s.training_rows) for s in self._sources)

    @property
    def count(self) -> int:
        """Number of documents; reads all rows unless an iteration has reached the end before."""
        if self._count is None:
            self._count = sum(1 for _ in self)
        return self._count
