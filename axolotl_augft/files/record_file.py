"""Records -> a temporary file, from which each is read by its number; in memory, a record takes eight bytes."""

import os
import tempfile
import threading
import weakref
from array import array
from collections.abc import Iterator

from axolotl_augft.errors import OutputError

_FLUSHED = 1 << 20


class RecordFile:
    """Byte strings by number, in a file in the temporary folder that is deleted with the object.

    Several threads may use it at once.

    Raises:
        OutputError: The temporary folder cannot be written.
    """

    def __init__(self) -> None:
        self._ends = array("Q", [0])
        self._unwritten = bytearray()
        self._written = 0
        self._writing = threading.Lock()
        try:
            file = tempfile.TemporaryFile(buffering=0)
        except OSError as error:
            raise _failed(error) from error
        weakref.finalize(self, file.close)
        self._file = file

    def __len__(self) -> int:
        """Number of records."""
        return len(self._ends) - 1

    def add(self, record: bytes) -> int:
        """Add a record; return its number.

        Raises:
            OutputError: The temporary folder is full.
        """
        with self._writing:
            self._unwritten += record
            self._ends.append(self._ends[-1] + len(record))
            if len(self._unwritten) >= _FLUSHED:
                self._flush()
            return len(self) - 1

    def __getitem__(self, number: int) -> bytes:
        """Read a record.

        Raises:
            IndexError: There is no such record.
            OutputError: The temporary folder is full, or the file cannot be read.
        """
        if not 0 <= number < len(self):
            raise IndexError(number)
        start, end = self._ends[number], self._ends[number + 1]
        with self._writing:
            if end > self._written:
                self._flush()
        try:
            return os.pread(self._file.fileno(), end - start, start)
        except OSError as error:
            raise _failed(error) from error

    def __iter__(self) -> Iterator[bytes]:
        """Read all records, in the order in which they were added."""
        return (self[number] for number in range(len(self)))

    def _flush(self) -> None:
        try:
            while self._unwritten:
                written = os.write(self._file.fileno(), self._unwritten)
                del self._unwritten[:written]
                self._written += written
        except OSError as error:
            raise _failed(error) from error


def _failed(error: OSError) -> OutputError:
    return OutputError(
        f"cannot write a temporary file ({error.strerror or type(error).__name__}); free some space in "
        f"{tempfile.tempdir or 'the temporary folder'}, or set TMPDIR to another folder. Every answer stored so far is "
        "kept"
    )
