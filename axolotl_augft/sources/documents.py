"""Source rows -> documents: what the teacher sees of them, each different text once."""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from axolotl_augft.files.digest_set import DigestSet
from axolotl_augft.formats.content import Exchange, Unfit
from axolotl_augft.sources.source import Source


@dataclass(frozen=True, slots=True)
class Document:
    """A text of the data set.

    `id`: first 8 hexadecimal digits of the SHA-256 of its text, so that it outlives a reordering of the rows. `entry`
    and `row`: the first source row that holds it. `exchange`: its question and answer, if it is no plain text.
    """

    id: str
    text: str
    entry: int
    row: int
    exchange: Exchange | None = None


def document_id(text: str) -> str:
    """The content-derived id of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def read_documents(sources: Iterable[Source]) -> Iterator[Document]:
    """The documents of all augmented entries, in source order; a text that occurs again is left out."""
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
    """The documents of the sources, read anew at every iteration."""

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
        """Those of some `datasets` entries."""
        chosen = [s for s in self._sources if s.entry in entries]
        return self if len(chosen) == len(self._sources) else Documents(chosen)

    @property
    def rows(self) -> int:
        """Rows that they are read from: at least as many, and known without reading."""
        return sum(len(s.training_rows) for s in self._sources)

    @property
    def count(self) -> int:
        """How many there are; read for it only if they were never read to the end."""
        if self._count is None:
            self._count = sum(1 for _ in self)
        return self._count
