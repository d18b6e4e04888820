"""The plan's requests -> those to send now, in an order that suits a server with a prefix cache.

`Feed` makes and looks up requests in a thread, ahead of need. `Line` lets the first request of a long prefix go alone
and the others follow once it is answered, with a bounded number of such prefixes open at a time, so that the server's
cache holds them all.
"""

import asyncio
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from axolotl_augft.files.digest_set import DigestSet
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.teacher.answer import Outcome
from axolotl_augft.teacher.request import Prefix, Request
from axolotl_augft.teacher.spending import Spent

T = TypeVar("T")
_LOOKUP = 500
_FIRST_LOOKUP = 64
_READY_BATCHES = 3
# Characters. A prefix below LONG is computed faster than it is waited for; the open ones together should fit into one
# GPU's cache.
_LONG = 8 * 1024
_OPEN = 256 * 1024


@dataclass(frozen=True)
class StoredCounts:
    """Different requests: how many there are, how many the store has no outcome for, how many it has an answer to, and what those cost."""

    total: int
    missing: int
    answered: int
    spent: Spent


def count_requests(requests: Iterable[Request], store: ResponseStore) -> StoredCounts:
    """Counts different requests and what the store knows of them."""
    outcomes: Counter[Outcome] = Counter()
    spent = Spent()
    seen = DigestSet()
    for keys in _batches((r.key for r in requests), _LOOKUP, _LOOKUP):
        new_keys = [k for k, new in zip(keys, seen.add_all(keys), strict=True) if new]
        outcomes += store.outcomes(new_keys)
        spent += store.spent(new_keys)
    return StoredCounts(len(seen), len(seen) - outcomes.total(), outcomes[Outcome.ANSWERED], spent)


def _batches(items: Iterable[T], first: int, later: int) -> Iterator[list[T]]:
    iterator = iter(items)
    size = first
    while some := list(islice(iterator, size)):
        yield some
        size = later


def unanswered(requests: Iterable[Request], store: ResponseStore, pending: set[bytes]) -> Iterator[list[Request]]:
    """Batches of the requests that the store does not answer, each added to `pending`; those that are pending already are left out."""
    for some in _batches(requests, _FIRST_LOOKUP, _LOOKUP):
        # A twin that is pending now may be answered and stored before the look-up below, or after it; either way it is
        # not asked twice.
        before = set(pending)
        fresh = [r for r in store.missing(some) if r.key not in before]
        pending.update(r.key for r in fresh)
        if fresh:
            yield fresh


class RequestFeed:
    """Requests from a thread, a few batches ahead of need. Enter it in the event loop that takes them.

    Args:
        batches: The requests; iterated in the thread.
        stop: Is set at the end; whoever makes the requests can look at it, so that nobody waits for a batch that nobody
    takes.
    """

    def __init__(self, batches: Iterator[list[Request]], stop: threading.Event) -> None:
        self._batches = batches
        self._ready: deque[list[Request]] = deque()
        self._now: deque[Request] = deque()
        self._room = threading.Semaphore(_READY_BATCHES)
        self._stop = stop
        self._ended = False
        self._error: BaseException | None = None
        self.changed = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="augft-feed", daemon=True)

    def __enter__(self) -> "RequestFeed":
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._room.release()
        self._thread.join()

    @property
    def ended(self) -> bool:
        """Whether all requests were taken."""
        return self._ended and not self._now and not self._ready

    def peek(self) -> Request | None:
        """The next request, None if there is none yet (`changed` is set once there is) or none any more.

        Raises:
            Exception: What making the requests raised.
        """
        if not self._now:
            if not self._ready:
                if self._error:
                    raise self._error
                return None
            self._now.extend(self._ready.popleft())
            self._room.release()
        return self._now[0]

    def take(self) -> Request:
        """Takes the request that `peek` showed."""
        return self._now.popleft()

    def _run(self) -> None:
        try:
            while self._room.acquire() and not self._stop.is_set() and (batch := next(self._batches, None)) is not None:
                self._loop.call_soon_threadsafe(self._arrived, batch)
        except BaseException as error:
            self._error = error
        self._loop.call_soon_threadsafe(self._end)

    def _arrived(self, batch: list[Request]) -> None:
        self._ready.append(batch)
        self.changed.set()

    def _end(self) -> None:
        self._ended = True
        self.changed.set()


@dataclass
class _Open:
    """A long prefix that the server holds, or is about to. `held`: requests that wait for its first one."""

    size: int
    warm: bool = False
    under_way: int = 0
    held: deque[Request] = field(default_factory=deque)


class SendQueue:
    """The order in which requests go: groups one after the other, the first of each long prefix ahead of the rest.

    Args:
        feed: The requests, those with equal prefixes side by side.
        slots: How many are sent at a time. So many again are looked at in advance, so that the next group's first is
    answered in time.
    """

    def __init__(self, feed: RequestFeed, slots: int) -> None:
        self._feed = feed
        self._ahead = 2 * slots
        self._firsts: deque[Request] = deque()
        self._ready: deque[Request] = deque()
        self._open: OrderedDict[bytes, _Open] = OrderedDict()
        self._held = 0

    async def take(self) -> Request | None:
        """The next request to send, None when all are taken. Call `ended` for each."""
        self._look_ahead()
        while not self._firsts and not self._ready:
            if self._feed.ended and not self._held:
                return None
            self._feed.changed.clear()
            await self._feed.changed.wait()
            self._look_ahead()
        return self._firsts.popleft() if self._firsts else self._ready.popleft()

    def ended(self, request: Request, answered: bool) -> None:
        """A request that was taken has its answer, or has failed for good."""
        group = self._open.get(request.prefix.digest) if _is_long(request.prefix) else None
        if group is None:
            return
        group.under_way -= 1
        group.warm = group.warm or answered
        # Where the first one failed, another takes its place.
        for _ in range(len(group.held) if group.warm else min(1, len(group.held))):
            group.under_way += 1
            self._held -= 1
            (self._ready if group.warm else self._firsts).append(group.held.popleft())
        self._feed.changed.set()

    def _look_ahead(self) -> None:
        while (
            len(self._firsts) + len(self._ready) + self._held < self._ahead
            and (request := self._feed.peek()) is not None
        ):
            if not _is_long(request.prefix):
                self._ready.append(self._feed.take())
                continue
            group = self._open.get(request.prefix.digest)
            if group is None and not self._make_room(request.prefix.size):
                return
            self._place(self._feed.take(), group)

    def _place(self, request: Request, group: _Open | None) -> None:
        if group is None:
            self._open[request.prefix.digest] = _Open(request.prefix.size, under_way=1)
            self._firsts.append(request)
        elif group.warm:
            group.under_way += 1
            self._ready.append(request)
        else:
            group.held.append(request)
            self._held += 1

    def _make_room(self, size: int) -> bool:
        """Lets go of prefixes that no request is about any more, the oldest first, until another has room; one is always let in."""
        total = sum(g.size for g in self._open.values())
        for digest, group in list(self._open.items()):
            if total + size > _OPEN and not group.under_way:
                del self._open[digest]
                total -= group.size
        return not self._open or total + size <= _OPEN


def _is_long(prefix: Prefix) -> bool:
    return prefix.size >= _LONG
