"""Lists of items -> a file that is deleted after use -> the same items, as often as they are read."""

import os
import pickle
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Generic, TypeVar

from axolotl_augft.errors import OutputError

T = TypeVar("T")
_IN_MEMORY = 4 * 2**20


class ItemFile(Generic[T]):
    """Keeps items that wait to be used: the first few MB in memory, all of them on disk once there are more.

    Items of one list that share an object still share it when they are read. The file has no name, so that nothing is
    left behind, however the process ends.

    Args:
        folder: Folder with room for the items; it must exist.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(folder))
        self._sizes: deque[int] = deque()

    def __enter__(self) -> "ItemFile[T]":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, items: Sequence[T]) -> None:
        """Add items to the end; the longer the list, the less room they take.

        Raises:
            OutputError: The disk is full.
        """
        # Nothing but this process can read the file, so there is no reason against pickle.
        data = pickle.dumps(items, pickle.HIGHEST_PROTOCOL)
        try:
            # Whoever is reading has left the file somewhere in the middle.
            self._file.seek(0, os.SEEK_END)
            self._file.write(data)
        except OSError as error:
            raise OutputError(
                f"{self._folder}: a file of requests cannot be written ({error.strerror or type(error).__name__}); "
                "free some disk space there and run again. Every answer stored so far is kept"
            ) from error
        self._sizes.append(len(data))

    def __iter__(self) -> Iterator[T]:
        """Yield all items, in the order in which they were added."""
        start = 0
        for size in self._sizes:
            self._file.seek(start)
            yield from pickle.loads(self._file.read(size))
            start += size
