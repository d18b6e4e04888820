"""Source rows -> documents: what the teacher sees of them, each different text once."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from axolotl_augft.seen import Seen
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
    seen = Seen()
    for source in sources:
        for i, text in source.training_texts():
            digest = hashlib.sha256(text.encode())
            if seen.add(digest.digest()):
                yield Document(digest.hexdigest()[:8], text, source.entry, i)
