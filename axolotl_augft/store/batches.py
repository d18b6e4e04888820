"""What a provider's Batch API has been sent and not answered yet: kept in the response store, so that a later run goes on with it.

A batch is written down before it is made, under a tag that goes with it; the provider's own id follows. Between the two
a run may die: the next one asks the provider for the tag.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass

import orjson

from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.teacher.request import Prefix, Request, Sampling

AGAIN = ""
"""The tag of requests that wait for another batch."""
_CHUNK = 500
_COLUMNS = "b.key, b.target, b.settings, p.system, p.text FROM batched b JOIN prefixes p ON p.digest = b.prefix"
_UNANSWERED = "NOT EXISTS (SELECT 1 FROM responses r WHERE r.key = b.key)"


@dataclass(frozen=True)
class SentBatch:
    """A batch: our tag, and the provider's id, None where the run ended before it was known."""

    tag: str
    id: str | None


class BatchLedger:
    """The batches of one server, in a response store."""

    def __init__(self, store: ResponseStore, server: str) -> None:
        self._store = store
        self._server = server

    def forget_waiting(self) -> None:
        """Forgets the requests that waited for another batch when an earlier run ended: every run lays its requests out anew."""
        with self._store.writing() as db:
            db.execute("DELETE FROM batched WHERE tag = ?", [AGAIN])

    def open_batches(self) -> list[SentBatch]:
        """The batches without a result."""
        return [
            SentBatch(*row)
            for row in self._store.rows("SELECT tag, id FROM batches WHERE server = ? ORDER BY tag", [self._server])
        ]

    def other_servers(self) -> list[str]:
        """The other servers that have batches without a result."""
        return [
            s
            for (s,) in self._store.rows(
                "SELECT DISTINCT server FROM batches WHERE server != ? ORDER BY server", [self._server]
            )
        ]

    def begin(self, requests: Sequence[Request]) -> str:
        """Writes down a batch that is about to be made; returns its tag."""
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
        """Notes the provider's id."""
        with self._store.writing() as db:
            db.execute("UPDATE batches SET id = ? WHERE tag = ?", [batch_id, tag])

    def move(self, keys: Sequence[bytes], tag: str) -> None:
        """Puts requests under another tag: those that are asked again, under `AGAIN`."""
        with self._store.writing() as db:
            db.executemany("UPDATE batched SET tag = ? WHERE key = ?", [(tag, key) for key in keys])

    def end(self, tag: str) -> None:
        """Forgets a batch and the requests that are still under its tag."""
        with self._store.writing() as db:
            db.execute("DELETE FROM batched WHERE tag = ?", [tag])
            db.execute("DELETE FROM batches WHERE tag = ?", [tag])

    def pending(self, keys: Sequence[bytes]) -> set[bytes]:
        """Those of the keys whose requests are in some batch of this server, or wait for another."""
        query = (
            f"SELECT key FROM batched LEFT JOIN batches USING (tag) WHERE key IN ({','.join('?' * len(keys))}) AND "
            f"(tag = ? OR server = ?)"
        )
        return {key for (key,) in self._store.rows(query, [*keys, AGAIN, self._server])}

    def unanswered(self, tag: str) -> set[bytes]:
        """The keys of the requests under a tag that the store does not answer."""
        return {
            key for (key,) in self._store.rows(f"SELECT b.key FROM batched b WHERE b.tag = ? AND {_UNANSWERED}", [tag])
        }

    def requests(self, tag: str) -> Iterator[Request]:
        """The requests under a tag that the store does not answer."""
        last = b""
        query = f"SELECT {_COLUMNS} WHERE b.tag = ? AND b.key > ? AND {_UNANSWERED} ORDER BY b.key LIMIT {_CHUNK}"
        while rows := self._store.rows(query, [tag, last]):
            for row in rows:
                yield _request(*row[1:])
            last = rows[-1][0]

    def named(self, tag: str, keys: Sequence[bytes]) -> dict[bytes, Request]:
        """Those of a batch's requests with these keys that the store does not answer."""
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
