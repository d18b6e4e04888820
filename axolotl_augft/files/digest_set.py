"""Digests -> which of them are new; kept on disk, so that ten million take as much memory as ten."""

import sqlite3
import weakref
from collections.abc import Sequence

from axolotl_augft.errors import OutputError


class DigestSet:
    """A set of digests in a temporary SQLite database.

    Only the first 64 bits of a digest count. The chance that any two of ten million collide is 3 in a million.

    Raises:
        OutputError: The folder for temporary files is full or cannot be written.
    """

    def __init__(self) -> None:
        # An empty name makes SQLite use a temporary file, which it deletes when the connection is closed.
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
        """Number of different digests added so far."""
        return self._count

    def __contains__(self, digest: bytes) -> bool:
        """Whether a digest was added.

        Raises:
            OutputError: The folder for temporary files cannot be read.
        """
        number = int.from_bytes(digest[:8], "big", signed=True)
        try:
            return self._connection.execute("SELECT 1 FROM seen WHERE id = ?", (number,)).fetchone() is not None
        except sqlite3.Error as error:
            raise _full(error) from error

    def add(self, digest: bytes) -> bool:
        """Add a digest; return True if it is new.

        Raises:
            OutputError: The folder for temporary files is full or cannot be written.
        """
        number = int.from_bytes(digest[:8], "big", signed=True)
        try:
            new = self._connection.execute("INSERT OR IGNORE INTO seen VALUES (?)", (number,)).rowcount == 1
        except sqlite3.Error as error:
            raise _full(error) from error
        self._count += new
        return new

    def add_all(self, digests: Sequence[bytes]) -> list[bool]:
        """Add digests in order; return for each whether it is new."""
        return [self.add(d) for d in digests]


def _full(error: sqlite3.Error) -> OutputError:
    return OutputError(
        f"cannot write a temporary file ({error}); free some space in the folder that SQLITE_TMPDIR or TMPDIR names "
        "(/var/tmp if neither is set), or set one of them to another folder. Every answer stored so far is kept"
    )
