"""Records by digest -> a temporary file, from which each is read by its digest; in memory, a record takes 32 bytes."""

from array import array
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from axolotl_augft.files.record_file import RecordFile


@dataclass(frozen=True)
class _Index:
    """The digests of all records in ascending order, and beside each the number of its record."""

    digests: npt.NDArray[np.uint64]
    records: npt.NDArray[np.int64]


class KeyedFile:
    """Byte strings by the first 64 bits of a digest; all are added before the first is read.

    Raises:
        OutputError: The temporary folder cannot be written.
    """

    def __init__(self) -> None:
        self._records = RecordFile()
        self._digests = array("Q")
        self._index: _Index | None = None

    def add(self, digest: bytes, record: bytes) -> None:
        """Add a record; of several with the same digest, the first counts.

        Raises:
            OutputError: The temporary folder is full.
        """
        assert self._index is None, "all records are added before the first is read"
        self._records.add(record)
        self._digests.append(_first_bits(digest))

    def get(self, digest: bytes) -> bytes | None:
        """Read the record with a digest; None if there is none.

        Raises:
            OutputError: The temporary folder is full, or the file cannot be read.
        """
        self._index = index = self._index or self._made_index()
        wanted = np.uint64(_first_bits(digest))
        at = int(np.searchsorted(index.digests, wanted))
        found = at < len(index.digests) and index.digests[at] == wanted
        return self._records[int(index.records[at])] if found else None

    def _made_index(self) -> _Index:
        digests = np.frombuffer(self._digests, dtype=np.uint64)
        order = np.argsort(digests, kind="stable")
        return _Index(digests[order], order)


def _first_bits(digest: bytes) -> int:
    return int.from_bytes(digest[:8])
