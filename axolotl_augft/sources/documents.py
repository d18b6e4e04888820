"""Source rows -> documents: what the teacher sees of them, each different text once."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from axolotl_augft.files.digest_set import Seen
from axolotl_augft.formats.content import Exchange, Unfit
from axolotl_augft.sources.source import Source


@dataclass(frozen=True, slots=True)
class Document:
    """A text of the data set.

    `id`: first 8 hexadecimal digits of the SHA-256 of its text, so that it outlives a reordering of the rows. `entry` and `row`: the first
    source row that holds it. `exchange`: its question and answer, if it is no plain text.
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
    seen = Seen()
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
