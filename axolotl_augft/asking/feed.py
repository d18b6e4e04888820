"""All requests of a round -> the next ones to send, in an order that suits a server with a prefix cache.

`RequestFeed` makes or reads requests in a thread, ahead of need. `SendQueue` sends the first request of each long
prefix alone and the others once it is answered. It limits the size of the prefixes in use at a time, so that the
server's cache can hold them all.
"""

import asyncio
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from axolotl_augft.batched import batched
from axolotl_augft.files.digest_set import DigestSet
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.teacher.answer import Outcome
from axolotl_augft.teacher.request import Request
from axolotl_augft.teacher.spending import Spent

_LOOKUP = 500
_FIRST_LOOKUP = 64
_READY_BATCHES = 3
# In characters: the prefixes in use at a time should fit together into one GPU's cache.
_OPEN = 256 * 1024


@dataclass(frozen=True)
class StoredCounts:
    """What the store knows about a number of distinct requests.

    Attributes:
        total: Number of distinct requests.
        missing: Those without a stored outcome.
        answered: Those with a stored answer; the rest were filtered or invalid.
        spent: What the stored outcomes cost.
        keys: The keys of the requests.
    """

    total: int
    missing: int
    answered: int
    spent: Spent
    keys: DigestSet = field(default_factory=DigestSet, compare=False, repr=False)


def count_requests(
    requests: Iterable[Request],
    store: ResponseStore,
    before: Sequence[DigestSet] = (),
    missing: Callable[[list[Request]], None] | None = None,
) -> StoredCounts:
    """Count distinct requests and look up what the store knows about them.

    Args:
        requests: The requests.
        store: The response store.
        before: Keys of requests that are counted elsewhere, and therefore not here.
        missing: Called with lists of those that the store does not answer, each once, in order.
    """
    known: dict[Outcome, Spent] = {}
    seen = DigestSet()
    for some in batched(requests, _LOOKUP):
        own = [r for r in some if not any(r.key in counted for counted in before)]
        new = [r for r, is_new in zip(own, seen.add_all([r.key for r in own]), strict=True) if is_new]
        found = store.spent_by_outcome([r.key for r in new])
        for outcome, spent in found.items():
            known[outcome] = known.get(outcome, Spent()) + spent
        answered = sum(spent.answers for spent in found.values())
        if missing is not None and answered < len(new):
            missing(store.missing(new) if answered else new)
    spent = sum(known.values(), Spent())
    answered = known[Outcome.ANSWERED].answers if Outcome.ANSWERED in known else 0
    return StoredCounts(len(seen), len(seen) - spent.answers, answered, spent, seen)


def looked_up(requests: Iterable[Request]) -> Iterator[list[Request]]:
    """Yield lists of requests that need no look-up; the first one is short, so that sending starts soon."""
    return batched(requests, _LOOKUP, first=_FIRST_LOOKUP)


def unanswered(requests: Iterable[Request], store: ResponseStore, pending: set[bytes]) -> Iterator[list[Request]]:
    """Yield lists of the requests that the store does not answer and that are not pending yet.

    Args:
        requests: The requests.
        store: The response store.
        pending: Keys of the requests in flight. Each request is added; the caller removes it once it has ended.
    """
    for some in batched(requests, _LOOKUP, first=_FIRST_LOOKUP):
        # Copied before the look-up: an equal request that is pending now may be stored, and leave `pending`, during the
        # look-up, which may not see its answer yet. Either way it is not sent twice.
        before = set(pending)
        fresh = [r for r in store.missing(some) if r.key not in before]
        pending.update(r.key for r in fresh)
        if fresh:
            yield fresh


class RequestFeed:
    """Makes requests in a thread, a few lists ahead of need. Enter it in the event loop that takes the requests.

    Attributes:
        changed: Set when requests have arrived or the last one has been made.

    Args:
        batches: Lists of requests; iterated in the thread.
        stop: Set on exit. The producer of the requests should check it and stop early, because exit waits for it.
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
        """Whether all requests have been taken."""
        return self._ended and not self._now and not self._ready

    def peek(self) -> Request | None:
        """Return the next request without taking it.

        Returns:
            None if no request is ready yet (`changed` is set once one is) or all have been taken.

        Raises:
            BaseException: Whatever the producer of the requests raised.
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
        """Take the request that `peek` returned."""
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
    """A long prefix that the server has in its cache, or soon will.

    Attributes:
        size: Characters of the prefix.
        warm: A request with this prefix has been answered.
        under_way: Number of its requests that were released for sending and have not ended.
        held: Requests that wait until the prefix is warm.
    """

    size: int
    warm: bool = False
    under_way: int = 0
    held: deque[Request] = field(default_factory=deque)


class SendQueue:
    """Decides the order of sending: one prefix after the other, with the first request of each long prefix ahead.

    Args:
        feed: The requests, with equal prefixes next to each other.
        slots: How many requests are sent at a time. Twice as many are looked at ahead, so that the first request of the
            next prefix is answered in time.
    """

    def __init__(self, feed: RequestFeed, slots: int) -> None:
        self._feed = feed
        self._ahead = 2 * slots
        self._firsts: deque[Request] = deque()
        self._ready: deque[Request] = deque()
        self._open: OrderedDict[bytes, _Open] = OrderedDict()
        self._held = 0

    async def take(self) -> Request | None:
        """Wait for the next request to send; None once all are taken. Call `ended` for each request taken."""
        self._look_ahead()
        while not self._firsts and not self._ready:
            if self._feed.ended and not self._held:
                return None
            self._feed.changed.clear()
            await self._feed.changed.wait()
            self._look_ahead()
        return self._firsts.popleft() if self._firsts else self._ready.popleft()

    def ended(self, request: Request, answered: bool) -> None:
        """Report that a request that was taken has been answered or has failed for good."""
        group = self._open.get(request.prefix.digest) if request.prefix.is_long else None
        if group is None:
            return
        group.under_way -= 1
        group.warm = group.warm or answered
        # If the first request of a prefix failed, another takes its place.
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
            if not request.prefix.is_long:
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
        """Drop prefixes without requests under way, oldest first, until another of this size fits.

        Returns:
            Whether it fits. It always does if no other prefix is in use.
        """
        total = sum(g.size for g in self._open.values())
        for digest, group in list(self._open.items()):
            if total + size > _OPEN and not group.under_way:
                del self._open[digest]
                total -= group.size
        return not self._open or total + size <= _OPEN
