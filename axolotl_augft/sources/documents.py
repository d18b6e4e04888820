"""Source rows -> documents: what the teacher sees of them, with each distinct text once.

Passages of plain text that read as instructions to a language model are counted, and left out with `instructions:
drop`. The questions and answers of an exchange are instructions by nature, and are shown as they are.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from axolotl_augft.files.digest_set import DigestSet
from axolotl_augft.formats.content import Exchange, Text, Unfit
from axolotl_augft.sources.source import Source
from axolotl_augft.text.directives import find_directives, without_passages


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


def read_documents(sources: Iterable[Source], shown: Callable[[str], str] = str) -> Iterator[Document]:
    """Yield the documents of all augmented sources in source order, without repeated texts.

    Args:
        sources: The sources.
        shown: Returns what the teacher sees of a plain text; "" for nothing, so that it becomes no document.
    """
    seen = DigestSet()
    for source in sources:
        if source.format is None:
            continue
        for i, content in source.training_contents():
            if isinstance(content, Text):
                content = Text(shown(content.text))
            if isinstance(content, Unfit) or not content.text:
                continue
            digest = hashlib.sha256(content.text.encode())
            if seen.add(digest.digest()):
                exchange = content if isinstance(content, Exchange) else None
                yield Document(digest.hexdigest()[:8], content.text, source.entry, i, exchange)


@dataclass(frozen=True)
class DirectiveCount:
    """The passages of documents that read as instructions to a language model.

    Attributes:
        rows: Number of rows that have any.
        kinds: Number of passages, by what makes them read like instructions.
        dropped: Whether they are left out.
    """

    rows: int
    kinds: Counter[str]
    dropped: bool

    @property
    def what(self) -> str:
        """What was found, and what becomes of it, for the plan and the summary."""
        kinds = ", ".join(f"{kind} {n:,}" for kind, n in sorted(self.kinds.items()))
        done = "left out" if self.dropped else "shown in requests about these rows only"
        return f"with instructions to a language model ({kinds}): {done}"


class Documents:
    """The documents of several sources; each iteration reads the rows again instead of keeping them in memory.

    Args:
        sources: The sources.
        instructions: What becomes of passages that read as instructions to a language model.
        language: ISO 639 code, for sentence ends.
    """

    def __init__(
        self, sources: list[Source], instructions: Literal["keep", "drop"] = "keep", language: str = "en"
    ) -> None:
        self._sources = [s for s in sources if s.format is not None]
        self._instructions = instructions
        self._language = language
        self._count: int | None = None
        self._directives: DirectiveCount | None = None

    def __iter__(self) -> Iterator[Document]:
        count = rows = 0
        kinds, drops = Counter[str](), self._instructions == "drop"

        def shown(text: str) -> str:
            nonlocal rows
            if directives := find_directives(text, self._language):
                rows += 1
                kinds.update(str(d.kind) for d in directives)
            return without_passages(text, directives) if drops else text

        nothing_to_find = self._directives is not None and not (drops and self._directives.rows)
        for document in read_documents(self._sources, str if nothing_to_find else shown):
            yield document
            count += 1
        self._count = count
        self._directives = self._directives or DirectiveCount(rows, kinds, drops)

    def of(self, entries: Collection[int]) -> "Documents":
        """Return the documents of the `datasets` entries with these indices."""
        chosen = [s for s in self._sources if s.entry in entries]
        if len(chosen) == len(self._sources):
            return self
        return Documents(chosen, self._instructions, self._language)

    @property
    def directives(self) -> DirectiveCount:
        """The passages that read as instructions to a model; found as `count` is."""
        if self._directives is None:
            self._count = sum(1 for _ in self)
        assert self._directives is not None
        return self._directives

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
