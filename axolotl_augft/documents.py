"""Source rows -> documents: what the teacher sees of them, each different text once."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from axolotl_augft.errors import SourceError
from axolotl_augft.sources import Source


@dataclass(frozen=True, slots=True)
class Document:
    """A text of the data set.

    `id`: first 8 hexadecimal digits of the SHA-256 of its text, so that it outlives a reordering of the rows. `entry` and `row`: the first
    source row that holds it.
    """

    id: str
    text: str
    entry: int
    row: int


@dataclass(frozen=True)
class Skipped:
    """Rows of one entry that hold no text, with the number of the first of them."""

    path: str
    count: int
    first: int


def document_id(text: str) -> str:
    """The content-derived id of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def read_documents(sources: Iterable[Source]) -> Iterator[Document]:
    """The documents of all augmented entries, in source order; a text that occurs again is left out."""
    seen: set[bytes] = set()
    for source in sources:
        form = source.format
        if form is None:
            continue
        rows = source.rows
        for i in source.training_rows:
            text = form.text(rows[i])
            if text is None:
                continue
            digest = hashlib.sha256(text.encode()).digest()
            if digest not in seen:
                seen.add(digest)
                yield Document(document_id(text), text, source.entry, i)


def skipped_rows(sources: Iterable[Source]) -> list[Skipped]:
    """Rows with an empty or non-text value, by entry.

    Raises:
        SourceError: Every row of an entry that is to be augmented is like that.
    """
    skipped = []
    for source in sources:
        if source.format is None:
            continue
        bad = [i for i, row in enumerate(source.rows) if source.format.text(row) is None]
        if len(bad) == len(source.rows):
            raise SourceError(
                f"datasets entry {source.path!r}: none of its {len(bad)} rows holds a text (they are empty, or not text); "
                "name the right column with `field:`"
            )
        if bad:
            skipped.append(Skipped(source.path, len(bad), bad[0]))
    return skipped
