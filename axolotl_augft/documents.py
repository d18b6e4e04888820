"""Source rows -> documents: what the teacher sees of them, each different text once."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

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
            assert text is not None, "a row without text is no training row"
            digest = hashlib.sha256(text.encode()).digest()
            if digest not in seen:
                seen.add(digest)
                yield Document(document_id(text), text, source.entry, i)
