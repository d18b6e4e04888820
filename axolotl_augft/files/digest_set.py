"""Digests that came before, kept in a scratch database on disk instead of memory: ten million of them cost as much memory as ten."""

import sqlite3
import weakref
from collections.abc import Sequence

from axolotl_augft.errors import OutputError


class DigestSet:
    """A set of digests, of which the first 64 bits count; among ten million, two fall together with a chance of 3 in a million.

    Raises:
        OutputError: The folder for temporary files is full or cannot be written.
    """

    def __init__(self) -> None:
        # The empty name: SQLite's own temporary file, which is gone once the connection is closed.
        self._connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        weakref.finalize(self, self._connection.close)
        self._count = 0
        try:
            self._connection.executescript(
                "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -2048;"
                "CREATE TABLE seen (id INTEGER PRIMARY KEY); BEGIN"
            )
        except sqlite3.Error as error:
            raise _full(error) from error

    def __len__(self) -> int:
        """How many different digests came so far."""
        return self._count

    def add(self, digest: bytes) -> bool:
        """Whether this digest comes for the first time; remembers it."""
        number = int.from_bytes(digest[:8], "big", signed=True)
        try:
            new = self._connection.execute("INSERT OR IGNORE INTO seen VALUES (?)", (number,)).rowcount == 1
        except sqlite3.Error as error:
            raise _full(error) from error
        self._count += new
        return new

    def add_all(self, digests: Sequence[bytes]) -> list[bool]:
        """`add` for each of some digests."""
        return [self.add(d) for d in digests]


def _full(error: sqlite3.Error) -> OutputError:
    return OutputError(
        f"cannot write a temporary file ({error}); free some space in the folder that SQLITE_TMPDIR or TMPDIR names, "
        f"else in /var/tmp, "
        "or name another. Every answer stored so far is kept"
    )
