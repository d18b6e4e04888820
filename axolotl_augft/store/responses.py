"""Request key -> stored answer, in one SQLite file.

An answer counts once its transaction is on disk (write-ahead log, synchronous FULL). Prompts are stored with the
answers, each shared prefix once. The file also records how documents were grouped and what is known of each teacher. It
never holds a secret: an API key is not part of a request, and of a server it holds only host and port, for a batch.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import orjson

from axolotl_augft.errors import StoreError
from axolotl_augft.files.durable import make_private
from axolotl_augft.store import groupings
from axolotl_augft.store.groupings import Pass
from axolotl_augft.store.schema import connect, damage, prepare
from axolotl_augft.teacher.answer import Answer, Outcome, TokenChoice
from axolotl_augft.teacher.request import Request
from axolotl_augft.teacher.spending import Spent

_LOOKUP = 500
_SPENT = (
    "count(*), sum(prompt_tokens), sum(cached_tokens), sum(completion_tokens), sum(nanodollars), "
    "sum(prompt_tokens IS NULL OR completion_tokens IS NULL), sum(cached_tokens IS NULL), sum(nanodollars IS NULL)"
)
_REMEMBERED_PREFIXES = 4096
_OR_EMPTY = f" OR (outcome = '{Outcome.ANSWERED}' AND trim(text, ' ' || char(9, 10, 13)) = '')"


class StoredAnswers(Protocol):
    """Where the answers to requests are found."""

    def get(self, requests: Sequence[Request]) -> list[Answer | None]:
        """Return the stored answer of each request, in order; None if there is none."""


class ResponseStore:
    """Answers by request key. One process writes at a time, while others may read."""

    def __init__(self, writer: sqlite3.Connection, reader: sqlite3.Connection, path: Path) -> None:
        self._writer = writer
        self._reader = reader
        self._path = path
        self._writing = threading.Lock()
        self._written_prefixes: set[bytes] = set()

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator["ResponseStore"]:
        """Open a store for the length of a `with` block; create it if there is none.

        Raises:
            StoreError: The file is not a response store, was written by a newer version, or cannot be opened.
        """
        with ExitStack() as stack:
            try:
                make_private(path)
                writer = stack.enter_context(closing(connect(path)))
                prepare(writer, path)
                reader = stack.enter_context(closing(connect(path)))
            except (OSError, sqlite3.Error) as error:
                raise StoreError(
                    f"response store {path}: cannot be opened ({error}); set augft.store to a file that can be written"
                ) from error
            yield cls(writer, reader, path)

    def get(self, requests: Sequence[Request]) -> list[Answer | None]:
        """Return the stored answer of each request, in order; None if there is none."""
        found: dict[bytes, Answer] = {}
        keys = list(dict.fromkeys(r.key for r in requests))
        for chunk in _chunks(keys):
            query = (
                "SELECT r.key, r.outcome, r.text, r.finish_reason, r.prompt_tokens, r.cached_tokens, "
                "r.completion_tokens, t.text, r.nanodollars, f.choices FROM responses r "
                "LEFT JOIN reasonings t ON t.key = r.key LEFT JOIN first_tokens f ON f.key = r.key "
                f"WHERE r.key IN ({_placeholders(chunk)})"
            )
            found.update((key, _answer(*columns)) for key, *columns in self._run(query, chunk))
        return [found.get(r.key) for r in requests]

    def spent(self, keys: Sequence[bytes]) -> Spent:
        """Sum up the tokens and dollars of the stored answers with these keys."""
        return sum(self.spent_by_outcome(keys).values(), Spent())

    def spent_by_outcome(self, keys: Sequence[bytes]) -> dict[Outcome, Spent]:
        """Count the stored answers with these keys by outcome, and sum up their tokens and dollars."""
        found: dict[Outcome, Spent] = {}
        for chunk in _chunks(keys):
            query = f"SELECT outcome, {_SPENT} FROM responses WHERE key IN ({_placeholders(chunk)}) GROUP BY outcome"
            for outcome, *sums in self._run(query, chunk):
                found[Outcome(outcome)] = found.get(Outcome(outcome), Spent()) + Spent(*(n or 0 for n in sums))
        return found

    def missing(self, requests: Sequence[Request]) -> list[Request]:
        """Return the requests without a stored answer, in order and without repetitions."""
        by_key = {r.key: r for r in requests}
        for chunk in _chunks(list(by_key)):
            for (key,) in self._run(f"SELECT key FROM responses WHERE key IN ({_placeholders(chunk)})", chunk):
                del by_key[key]
        return list(by_key.values())

    @property
    def is_empty(self) -> bool:
        """True if the store holds no answers."""
        return not self._run("SELECT 1 FROM responses LIMIT 1", [])

    def put(self, answered: Sequence[tuple[Request, Answer]]) -> None:
        """Store answers in one transaction; on return they are durable. An existing answer is not replaced.

        Raises:
            StoreError: The file cannot be written, for example because the disk is full. Nothing stored earlier is
                lost.
        """
        prefixes = {r.prefix.digest: r.prefix for r, _ in answered if r.prefix.digest not in self._written_prefixes}
        with self._transaction():
            self._writer.executemany(
                "INSERT OR IGNORE INTO prefixes VALUES (?, ?, ?)", [(d, p.system, p.text) for d, p in prefixes.items()]
            )
            self._writer.executemany(
                "INSERT OR IGNORE INTO responses VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        r.key,
                        r.prefix.digest,
                        r.target,
                        a.outcome.value,
                        a.text,
                        a.finish_reason,
                        *a.tokens,
                        a.nanodollars,
                    )
                    for r, a in answered
                ],
            )
            self._writer.executemany(
                "INSERT OR IGNORE INTO reasonings VALUES (?, ?)",
                [(r.key, a.reasoning) for r, a in answered if a.reasoning],
            )
            self._writer.executemany(
                "INSERT OR IGNORE INTO first_tokens VALUES (?, ?)",
                [(r.key, _as_json(a.first_token)) for r, a in answered if a.first_token],
            )
        if len(self._written_prefixes) > _REMEMBERED_PREFIXES:
            self._written_prefixes.clear()
        self._written_prefixes.update(prefixes)

    def forget(self, keys: Sequence[bytes], outcomes: Sequence[Outcome], empty: bool = False) -> int:
        """Delete the responses that have one of the keys and one of the outcomes, so that they are requested again.

        Args:
            keys: The keys.
            outcomes: The outcomes.
            empty: Whether to delete empty answers, too.

        Returns:
            The number of deleted responses.
        """
        count = 0
        for chunk in _chunks(keys):
            query = (
                f"DELETE FROM responses WHERE key IN ({_placeholders(chunk)}) "
                f"AND (outcome IN ({_placeholders(outcomes)}){_OR_EMPTY if empty else ''})"
            )
            with self._transaction():
                count += self._writer.execute(query, [*chunk, *map(str, outcomes)]).rowcount
        return count

    def load_grouping(self, key: str) -> list[Pass]:
        """Return the passes saved under `key`, an empty list if there are none."""
        with self._reading() as db:
            return groupings.load(db, key)

    def save_grouping(self, key: str, passes: list[Pass]) -> None:
        """Save passes under `key`, replacing earlier ones."""
        with self._transaction():
            groupings.save(self._writer, key, passes)

    def load_teacher(self, teacher_id: str) -> dict[str, Any] | None:
        """Return what was known of a teacher when it was first used; None before that."""
        rows = self._run("SELECT known FROM teachers WHERE id = ?", [teacher_id])
        return orjson.loads(rows[0][0]) if rows else None

    def save_teacher(self, teacher_id: str, known: dict[str, Any]) -> None:
        """Save what is known of a teacher, replacing an earlier record."""
        with self._transaction():
            self._writer.execute(
                "INSERT OR REPLACE INTO teachers VALUES (?, ?)", [teacher_id, orjson.dumps(known).decode()]
            )

    @property
    def path(self) -> Path:
        """The SQLite file."""
        return self._path

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Run a `with` block in a write transaction, for modules that keep tables of their own in the file.

        Raises:
            StoreError: The file cannot be written.
        """
        with self._transaction():
            yield self._writer

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run a query and return all of its rows.

        Raises:
            StoreError: The file cannot be read.
        """
        return self._run(query, values)

    def _run(self, query: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        with self._reading() as db:
            return db.execute(query, values).fetchall()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            yield self._reader
        except sqlite3.Error as error:
            raise self._failed("read", error) from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            with self._writing:
                self._writer.execute("BEGIN IMMEDIATE")
                try:
                    yield
                    self._writer.execute("COMMIT")
                except BaseException:
                    if self._writer.in_transaction:
                        self._writer.execute("ROLLBACK")
                    raise
        except sqlite3.Error as error:
            raise self._failed("write", error) from error

    def _failed(self, doing: str, error: sqlite3.Error) -> StoreError:
        if "malformed" in str(error) or "not a database" in str(error) or "no such" in str(error):
            return StoreError(f"response store {self._path}: {damage(error)}")
        remedy = "free some disk space and run again" if "full" in str(error) else "fix the cause and run again"
        return StoreError(
            f"response store {self._path}: cannot {doing} ({error}); {remedy}. Every answer stored so far is kept"
        )


def _as_json(choices: Sequence[TokenChoice]) -> str:
    return orjson.dumps([[choice.token, choice.logprob] for choice in choices]).decode()


def _answer(outcome: str, *columns: Any) -> Answer:
    first_token = tuple(TokenChoice(*choice) for choice in orjson.loads(columns[-1])) if columns[-1] else None
    return replace(Answer(Outcome(outcome), *columns[:-1]), first_token=first_token)


def _chunks(keys: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    return (keys[i : i + _LOOKUP] for i in range(0, len(keys), _LOOKUP))


def _placeholders(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
