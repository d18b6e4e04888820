"""Requests sent to a provider's Batch API -> records in the response store, from which a later run resumes.

A batch is recorded under a tag before it is made; the tag is sent with it, and the provider's id is recorded
afterwards. If a run dies in between, the next run searches the provider's batches for the tag.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass

import orjson

from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.teacher.request import Prefix, Request, Sampling

AGAIN = ""
"""The tag of requests that wait to be sent in another batch."""
_CHUNK = 500
_COLUMNS = "b.key, b.target, b.settings, p.system, p.text FROM batched b JOIN prefixes p ON p.digest = b.prefix"
_UNANSWERED = "NOT EXISTS (SELECT 1 FROM responses r WHERE r.key = b.key)"


@dataclass(frozen=True)
class SentBatch:
    """A batch that was sent, or was about to be.

    Attributes:
        tag: Our name for it.
        id: The provider's id, None if the run ended before it was known.
    """

    tag: str
    id: str | None


class BatchLedger:
    """The record, in a response store, of the batches sent to one server."""

    def __init__(self, store: ResponseStore, server: str) -> None:
        self._store = store
        self._server = server

    def forget_waiting(self) -> None:
        """Delete requests that an earlier run left waiting for a batch, because every run plans its batches afresh."""
        with self._store.writing() as db:
            db.execute("DELETE FROM batched WHERE tag = ?", [AGAIN])

    def open_batches(self) -> list[SentBatch]:
        """List this server's batches whose results have not been read yet."""
        return [
            SentBatch(*row)
            for row in self._store.rows("SELECT tag, id FROM batches WHERE server = ? ORDER BY tag", [self._server])
        ]

    def other_servers(self) -> list[str]:
        """List other servers with batches whose results have not been read yet."""
        return [
            s
            for (s,) in self._store.rows(
                "SELECT DISTINCT server FROM batches WHERE server != ? ORDER BY server", [self._server]
            )
        ]

    def begin(self, requests: Sequence[Request]) -> str:
        """Record a batch that is about to be made, and return its tag."""
        tag = f"augft-{uuid.uuid4().hex}"
        with self._store.writing() as db:
            db.execute("INSERT INTO batches VALUES (?, NULL, ?)", [tag, self._server])
            prefixes = {r.prefix.digest: r.prefix for r in requests}
            db.executemany(
                "INSERT OR IGNORE INTO prefixes VALUES (?, ?, ?)", [(d, p.system, p.text) for d, p in prefixes.items()]
            )
            db.executemany(
                "INSERT OR REPLACE INTO batched VALUES (?, ?, ?, ?, ?)",
                [(r.key, tag, r.prefix.digest, r.target, _settings(r)) for r in requests],
            )
        return tag

    def sent(self, tag: str, batch_id: str) -> None:
        """Record the provider's id of a batch."""
        with self._store.writing() as db:
            db.execute("UPDATE batches SET id = ? WHERE tag = ?", [batch_id, tag])

    def move(self, keys: Sequence[bytes], tag: str) -> None:
        """Move requests to another tag, for example to `AGAIN` to send them again."""
        with self._store.writing() as db:
            db.executemany("UPDATE batched SET tag = ? WHERE key = ?", [(tag, key) for key in keys])

    def end(self, tag: str) -> None:
        """Delete a batch and the requests still under its tag."""
        with self._store.writing() as db:
            db.execute("DELETE FROM batched WHERE tag = ?", [tag])
            db.execute("DELETE FROM batches WHERE tag = ?", [tag])

    def pending(self, keys: Sequence[bytes]) -> set[bytes]:
        """Return the keys whose requests are in a batch of this server, or wait for a batch."""
        query = (
            f"SELECT key FROM batched LEFT JOIN batches USING (tag) WHERE key IN ({','.join('?' * len(keys))}) AND "
            f"(tag = ? OR server = ?)"
        )
        return {key for (key,) in self._store.rows(query, [*keys, AGAIN, self._server])}

    def unanswered(self, tag: str) -> set[bytes]:
        """Return the keys of the requests under a tag that have no stored answer."""
        return {
            key for (key,) in self._store.rows(f"SELECT b.key FROM batched b WHERE b.tag = ? AND {_UNANSWERED}", [tag])
        }

    def requests(self, tag: str, answered: bool = False) -> Iterator[Request]:
        """Yield the requests under a tag, ordered by key.

        Args:
            tag: The tag.
            answered: Whether to yield those with a stored answer too.
        """
        last = b""
        which = "" if answered else f"AND {_UNANSWERED}"
        query = f"SELECT {_COLUMNS} WHERE b.tag = ? AND b.key > ? {which} ORDER BY b.key LIMIT {_CHUNK}"
        while rows := self._store.rows(query, [tag, last]):
            for row in rows:
                yield _request(*row[1:])
            last = rows[-1][0]

    def named(self, tag: str, keys: Sequence[bytes]) -> dict[bytes, Request]:
        """Return, by key, the requests under a tag that have one of the keys and no stored answer."""
        query = f"SELECT {_COLUMNS} WHERE b.tag = ? AND b.key IN ({','.join('?' * len(keys))}) AND {_UNANSWERED}"
        return {row[0]: _request(*row[1:]) for row in self._store.rows(query, [tag, *keys])}


def _request(target: str, settings: str, system: str, text: str) -> Request:
    teacher_id, api, (temperature, top_p, max_tokens, stop, seed), sample, extra, keep_reasoning = orjson.loads(
        settings
    )
    sampling = Sampling(temperature, top_p, max_tokens, tuple(stop), seed)
    return Request(
        teacher_id, api, Prefix(system, text), target, sampling, sample, tuple((k, v) for k, v in extra), keep_reasoning
    )


def _settings(request: Request) -> str:
    content = [
        request.teacher_id,
        request.api,
        astuple(request.sampling),
        request.sample,
        request.extra_body,
        request.keep_reasoning,
    ]
    return orjson.dumps(content).decode()
