"""SQLite file -> the tables of a response store of this version, created or upgraded, or why the file is none."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from axolotl_augft.errors import StoreError
from axolotl_augft.store import groupings

APPLICATION_ID = 0x41554746  # "AUGF"
SCHEMA_VERSION = 4
# Answers and prefixes are ordinary rowid tables, to which rows are appended in the order of arrival. Only their key
# index is accessed at random, and it is small.
_SCHEMA = """
CREATE TABLE prefixes (digest BLOB PRIMARY KEY, system TEXT NOT NULL, text TEXT NOT NULL);
CREATE TABLE responses (
    key BLOB PRIMARY KEY, prefix BLOB NOT NULL, target TEXT NOT NULL,
    outcome TEXT NOT NULL, text TEXT NOT NULL, finish_reason TEXT NOT NULL,
    prompt_tokens INTEGER, cached_tokens INTEGER, completion_tokens INTEGER, nanodollars INTEGER
);
CREATE TABLE teachers (id TEXT PRIMARY KEY, known TEXT NOT NULL) WITHOUT ROWID;
"""
# New in schema 2: reasoning, deleted together with its answer; a log of rounds; and the requests sent to a provider's
# Batch API (`tag` is ours, `id` the provider's).
_ADDED_IN_2 = """
CREATE TABLE IF NOT EXISTS reasonings (key BLOB PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS forget_reasoning AFTER DELETE ON responses
    BEGIN DELETE FROM reasonings WHERE key = old.key; END;
CREATE TABLE runs (
    ended TEXT NOT NULL, teacher TEXT NOT NULL, requests INTEGER NOT NULL, asked INTEGER NOT NULL,
    seconds REAL NOT NULL, completion_tokens INTEGER, nanodollars INTEGER
);
CREATE TABLE batches (tag TEXT PRIMARY KEY, id TEXT, server TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE batched (
    key BLOB PRIMARY KEY, tag TEXT NOT NULL, prefix BLOB NOT NULL, target TEXT NOT NULL, settings TEXT NOT NULL
) WITHOUT ROWID;
"""
# New in schema 3: the most probable choices for an answer's first token, deleted together with the answer.
_ADDED_IN_3 = """
CREATE TABLE first_tokens (key BLOB PRIMARY KEY, choices TEXT NOT NULL) WITHOUT ROWID;
CREATE TRIGGER forget_first_token AFTER DELETE ON responses
    BEGIN DELETE FROM first_tokens WHERE key = old.key; END;
"""
_LOCKED_SECONDS = 60.0


def connect(path: Path) -> sqlite3.Connection:
    """Open a connection that any thread may use, and that waits for other processes."""
    return sqlite3.connect(path, timeout=_LOCKED_SECONDS, check_same_thread=False, isolation_level=None)


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Check that the file is a response store, and create or upgrade its tables; safe in several processes at once.

    Raises:
        StoreError: It is something else, is damaged, or was written by a newer version.
        sqlite3.OperationalError: It cannot be opened or written.
    """
    try:
        if _missing_tables(connection, path):
            connection.execute("BEGIN IMMEDIATE")
            # Check again within the transaction, because another process may have created the tables meanwhile. Run the
            # statements one by one, because `executescript` would commit the transaction first.
            for statement in _missing_tables(connection, path):
                connection.execute(statement)
            connection.execute("COMMIT")
        _use_wal(connection)
        connection.execute("PRAGMA synchronous = FULL")
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        if _has_own_header(path):
            raise StoreError(f"response store {path}: {damage(error)}") from error
        raise StoreError(
            f"response store {path}: not a response store ({error}); set augft.store to another path"
        ) from error


def damage(error: sqlite3.Error) -> str:
    """Say what to do about a damaged file, for the end of an error."""
    return (
        f"the file is damaged ({error}); restore a copy, save what can be read (sqlite3 FILE .recover), or move it "
        "away and run again, which asks for all answers anew"
    )


def _has_own_header(path: Path) -> bool:
    """Whether a file begins as a response store does, so that it is one, though damaged."""
    try:
        with path.open("rb") as file:
            header = file.read(72)
    except OSError:
        return False
    return header.startswith(b"SQLite format 3") and header[68:72] == APPLICATION_ID.to_bytes(4, "big")


def _missing_tables(connection: sqlite3.Connection, path: Path) -> list[str]:
    """Return the statements that make the file a store of this version; an empty list if it is one already."""
    # Count the tables first: a process that creates them meanwhile sets the two pragmas in the same transaction, so
    # whoever sees the tables sees the pragmas too.
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if tables and application != APPLICATION_ID:
        raise StoreError(
            f"response store {path}: this SQLite file is not a response store; set augft.store to another path"
        )
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"response store {path}: written by a newer version (schema {version}, this version knows "
            f"{SCHEMA_VERSION}); upgrade axolotl-augft, or set augft.store to another path"
        )
    if version == SCHEMA_VERSION:
        return []
    made = f"{_SCHEMA} PRAGMA application_id = {APPLICATION_ID};\n" if not tables else ""
    if version < 2:
        made += ("ALTER TABLE responses ADD COLUMN nanodollars INTEGER;\n" if tables else "") + _ADDED_IN_2
    if version < 3:
        made += _ADDED_IN_3
    made += groupings.ADDED_IN_4 + (groupings.MOVED_IN_4 if tables else "")
    return list(_statements(f"{made} PRAGMA user_version = {SCHEMA_VERSION};\n"))


def _statements(script: str) -> Iterator[str]:
    """Split a script into statements, each of which must end at the end of a line."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to a write-ahead log, with retries: SQLite does not wait for other processes that are switching too."""
    deadline = time.monotonic() + _LOCKED_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
