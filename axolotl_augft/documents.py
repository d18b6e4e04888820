"""Source rows -> documents: what the teacher sees of them, each different text once."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from axolotl_augft.contents import Exchange, Unfit
from axolotl_augft.sources import Source


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
    seen: set[bytes] = set()
    for source in sources:
        form = source.format
        if form is None:
            continue
        asked = set(source.training_rows).difference(*(p.rows for p in source.problems))
        for i in sorted(asked):
            content = form.read(source.rows[i])
            assert not isinstance(content, Unfit), "rows that cannot be asked about were taken out"
            digest = hashlib.sha256(content.text.encode()).digest()
            if digest not in seen:
                seen.add(digest)
                exchange = content if isinstance(content, Exchange) else None
                yield Document(document_id(content.text), content.text, source.entry, i, exchange)
