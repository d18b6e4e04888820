"""Documents with their sizes -> a temporary file, so that a million of them take 80 MB of memory, whatever they say."""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from axolotl_augft.files.record_file import RecordFile
from axolotl_augft.formats.content import Exchange, Turn
from axolotl_augft.sources.documents import Document


@dataclass(frozen=True, slots=True)
class Sized:
    """A document and its size in tokens, including its label in the prompt."""

    document: Document
    tokens: int


class SizedFile:
    """Documents in the order in which they were added, of which only ids and sizes are in memory.

    Attributes:
        ids: Their ids.
        tokens: Their sizes.

    Args:
        sized: The documents; more can be added.

    Raises:
        OutputError: The temporary folder is full or cannot be written.
    """

    def __init__(self, sized: Iterable[Sized] = ()) -> None:
        self._file = RecordFile()
        self.ids: list[str] = []
        self.tokens = array("i")
        for one in sized:
            self.add(one)

    def add(self, sized: Sized) -> None:
        """Add a document.

        Raises:
            OutputError: The temporary folder is full.
        """
        self._file.add(orjson.dumps(sized.document))
        self.ids.append(sized.document.id)
        self.tokens.append(sized.tokens)

    def __len__(self) -> int:
        """Number of documents."""
        return len(self.ids)

    def __getitem__(self, number: int) -> Document:
        """Read a document."""
        return _read(self._file[number])

    def __iter__(self) -> Iterator[Document]:
        """Read all documents."""
        return map(_read, self._file)

    def sized(self) -> Iterator[Sized]:
        """Read all documents, with their sizes."""
        return map(Sized, self, self.tokens)


def _read(record: bytes) -> Document:
    found = orjson.loads(record)
    return Document(**{**found, "exchange": _exchange(found["exchange"])})


def _exchange(found: dict[str, Any] | None) -> Exchange | None:
    if found is None:
        return None
    return Exchange(**{**found, "before": tuple(Turn(**turn) for turn in found["before"])})
