"""Requests without an answer -> answers in the store: a sliding window of requests in flight, with classified, finite retries.

An answer counts once the store has it on disk. Whatever ends the run, the answers that arrived are stored first.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Protocol

from axolotl_augft.answers import Answer, Failure, Outcome
from axolotl_augft.budget import Budget
from axolotl_augft.client import Client, Server, open_session
from axolotl_augft.errors import TeacherError, TeacherUnreachable
from axolotl_augft.requests import Request
from axolotl_augft.spending import Spent
from axolotl_augft.store import ResponseStore

_LOOKUP = 500
_FIRST_TRIES = 3
_EARLY_INVALID = 8
_LONGEST_WAIT = 600.0


@dataclass
class Asked:
    """What happened to the requests of one call."""

    answered: int = 0
    filtered: int = 0
    invalid: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    spent: Spent = field(default_factory=Spent)
    seconds: float = 0.0

    @property
    def total(self) -> int:
        """Requests that were sent, each once."""
        return self.answered + self.filtered + self.invalid + self.failed.total()

    def add(self, answer: Answer) -> None:
        """Counts a final answer."""
        self.answered += answer.outcome is Outcome.ANSWERED
        self.filtered += answer.outcome is Outcome.FILTERED
        self.invalid += answer.outcome is Outcome.INVALID
        self.spent.add(answer)


class Watcher(Protocol):
    """Is told how a run goes."""

    def update(self, asked: Asked) -> None:
        """Called after each request that ended, one way or the other."""


@dataclass(frozen=True)
class Pace:
    """How requests are sent. `check_server` raises if the server is known to be gone; `sleep` and `jitter` are the tests' to replace."""

    max_concurrency: int
    max_retries: int
    check_server: Callable[[], None] = lambda: None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random

    def wait(self, failure: Failure, attempt: int) -> float:
        """Seconds before the next try: what the server asked for, else 0.5, 1, 2 … up to 60, halved at most by chance."""
        if failure.retry_after is not None:
            return min(failure.retry_after, _LONGEST_WAIT)
        return min(60.0, 0.5 * 2.0**attempt) * (0.5 + self.jitter() / 2)


def unanswered(requests: Iterable[Request], store: ResponseStore, in_flight: set[bytes]) -> Iterator[Request]:
    """The requests that the store does not answer and that are not being asked just now, each once."""
    iterator = iter(requests)
    while some := list(islice(iterator, _LOOKUP)):
        # A twin that is in flight now will be answered before its turn comes; the store does not know it yet.
        asked_now = set(in_flight)
        fresh: dict[bytes, Request] = {r.key: r for r, a in zip(some, store.get(some), strict=True) if a is None}
        for key, request in fresh.items():
            if key not in asked_now:
                yield request


@dataclass(frozen=True)
class Tally:
    """Different requests: how many there are, how many the store has no outcome for, how many it has an answer to, and what those cost."""

    total: int
    missing: int
    answered: int
    spent: Spent


def count_requests(requests: Iterable[Request], store: ResponseStore) -> Tally:
    """Counts different requests and what the store knows of them."""
    total = missing = answered = 0
    spent = Spent()
    seen: set[bytes] = set()
    iterator = iter(requests)
    while some := list(islice(iterator, _LOOKUP)):
        new = [r for r in {r.key: r for r in some}.values() if r.key not in seen]
        seen.update(r.key for r in new)
        total += len(new)
        outcomes = store.get(new)
        missing += sum(a is None for a in outcomes)
        answered += sum(a is not None and a.outcome is Outcome.ANSWERED for a in outcomes)
        spent += store.spent([r.key for r in new])
    return Tally(total, missing, answered, spent)


def ask(
    requests: Iterable[Request],
    server: Server,
    store: ResponseStore,
    pace: Pace,
    watcher: Watcher,
    trusted: bool = False,
    budget: Budget | None = None,
) -> Asked:
    """Asks the requests that the store does not answer, and returns when each is stored or has failed for good.

    Args:
        requests: What to ask; equal requests are asked once.
        server: Where.
        store: Where answers are looked up and kept.
        pace: How many at a time, and how often again.
        watcher: Is told how it goes.
        trusted: Whether the server is known to accept such requests; until one is answered, the fault of invalid ones may lie with all.
        budget: Is asked before each try. Once `budget.reached`, nothing more is sent, and what was in flight is stored.

    Raises:
        TeacherError: The server refuses access, does not know the model, calls all requests invalid, or is gone.
        StoreError: An answer could not be stored.
    """
    asking = _Asking(store, pace, watcher, trusted, budget or Budget.unlimited())
    try:
        asyncio.run(asking.run(requests, server))
    except BaseExceptionGroup as group:
        raise _first(group) from None
    return asking.asked


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first exception in a group; workers that fail for the same reason need not say it twice."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


class _Asking:
    def __init__(self, store: ResponseStore, pace: Pace, watcher: Watcher, trusted: bool, budget: Budget) -> None:
        self.asked = Asked()
        self._store = store
        self._journal = _Journal(store)
        self._pace = pace
        self._in_flight: set[bytes] = set()
        self._watcher = watcher
        self._failed_in_a_row = 0
        self._early_invalid: list[tuple[Request, Answer]] = []
        self._has_answered = trusted
        self._budget = budget

    async def run(self, all_requests: Iterable[Request], server: Server) -> None:
        start = time.monotonic()
        requests = unanswered(all_requests, self._store, self._in_flight)
        try:
            async with open_session(server) as session:
                client = Client(server, session)
                await self._first_alone(requests, client)
                async with asyncio.TaskGroup() as workers:
                    for _ in range(self._pace.max_concurrency):
                        workers.create_task(self._work(requests, client))
            if self._early_invalid:
                raise self._all_invalid()
        finally:
            await self._journal.close()
            self.asked.seconds = time.monotonic() - start

    async def _first_alone(self, requests: Iterator[Request], client: Client) -> None:
        """A server that is not there, or refuses access, is found out with one request, and soon."""
        for request in islice(requests, 1):
            await self._one(request, client, tries_without_connection=_FIRST_TRIES)

    async def _work(self, requests: Iterator[Request], client: Client) -> None:
        for request in requests:
            await self._one(request, client)
            if self._budget.reached:
                return

    async def _one(self, request: Request, client: Client, tries_without_connection: int | None = None) -> None:
        self._in_flight.add(request.key)
        try:
            result = await self._until_final(request, client, tries_without_connection)
            if isinstance(result, Answer):
                await self._keep(request, result)
            elif result is not None:
                self._count_failure(result)
        finally:
            self._in_flight.discard(request.key)
        self._watcher.update(self.asked)

    async def _until_final(self, request: Request, client: Client, tries_without_connection: int | None) -> Answer | Failure | None:
        """The last try's result; None if the budget lets no try through."""
        for attempt in range(self._pace.max_retries + 1):
            if not await self._budget.admit(request):
                return None
            result = self._budget.settle(request, await client.send(request))
            if isinstance(result, Answer):
                return result
            if result.reason in ("no connection", "connection lost"):
                self._pace.check_server()
                if tries_without_connection is not None and attempt + 1 >= tries_without_connection:
                    raise TeacherUnreachable(
                        f"the teacher's server at {client.host} cannot be reached (no connection, "
                        f"{attempt + 1} tries); start it, or check augft.teacher.base_url"
                    )
            if attempt < self._pace.max_retries:
                await self._pace.sleep(self._pace.wait(result, attempt))
        return result

    async def _keep(self, request: Request, answer: Answer) -> None:
        self._failed_in_a_row = 0
        if answer.outcome is Outcome.INVALID and not self._has_answered:
            self._early_invalid.append((request, answer))
            if len(self._early_invalid) >= _EARLY_INVALID:
                raise self._all_invalid()
            return
        self._has_answered = True
        early, self._early_invalid = self._early_invalid, []
        for r, a in chain(early, [(request, answer)]):
            await self._journal.put(r, a)
            self.asked.add(a)

    def _all_invalid(self) -> TeacherError:
        said = self._early_invalid[0][1].finish_reason
        return TeacherError(
            f"the teacher's server calls the first {len(self._early_invalid)} requests invalid and answered none ({said}); "
            "check augft.teacher (api, extra_body, max_tokens) against what the server accepts"
        )

    def _count_failure(self, failure: Failure) -> None:
        self.asked.failed[failure.reason] += 1
        self._failed_in_a_row += 1
        if self._failed_in_a_row >= max(8, self._pace.max_concurrency):
            raise TeacherUnreachable(
                f"the teacher's server stopped answering: {self._failed_in_a_row} requests in a row failed after all retries "
                f"(last: {failure.reason}); every answer so far is stored, so run again when the server is well"
            )


class _Journal:
    """Stores answers in the order they come, as many at once as came during the last write."""

    def __init__(self, store: ResponseStore) -> None:
        self._store = store
        self._waiting: list[tuple[Request, Answer, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def put(self, request: Request, answer: Answer) -> None:
        """Returns when the answer is durable."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, answer, stored))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        await asyncio.shield(stored)

    async def close(self) -> None:
        """Waits for the last write."""
        if self._writing is not None:
            await asyncio.shield(self._writing)

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await asyncio.to_thread(self._store.put, [(r, a) for r, a, _ in batch])
            except Exception as error:
                for _, _, stored in batch:
                    if not stored.cancelled():
                        stored.set_exception(error)
            else:
                for _, _, stored in batch:
                    if not stored.cancelled():
                        stored.set_result(None)
