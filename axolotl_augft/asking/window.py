"""Requests without an answer -> answers in the store: a sliding window of requests in flight, with classified, finite retries.

An answer counts once the store has it on disk, and only then is its place in the window free. Whatever ends the run, the answers that
arrived are stored first. An error that says nothing of the server's health or the store's lets what is in flight, and paid for, end too.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from itertools import chain, takewhile
from typing import ParamSpec, Protocol

import uvloop

from axolotl_augft.asking.budget import Budget
from axolotl_augft.asking.feed import Feed, Line, unanswered
from axolotl_augft.asking.journal import Journal
from axolotl_augft.asking.pacing import Gate, Pace
from axolotl_augft.errors import StoreError, TeacherError, TeacherServerFailed, TeacherUnreachable
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.teacher.answer import Answer, Failure, Outcome
from axolotl_augft.teacher.client import Client, Server, open_session
from axolotl_augft.teacher.request import Request
from axolotl_augft.teacher.spending import Spent

P = ParamSpec("P")
_FIRST_TRIES = 3
_EARLY_INVALID = 8
_HEAD_START = 0.05
# With these no further answer can come, or be kept.
_AT_ONCE = (StoreError, TeacherUnreachable, TeacherServerFailed)


@dataclass
class Asked:
    """What happened to the requests of one call.

    `failed`: requests without an answer after all tries, by reason. `passing`: tries that failed, by reason, whatever came later.
    `remarks`: answers that ended at `max_tokens` (`cut`) or hold nothing (`empty`), and those that came with reasoning.
    """

    answered: int = 0
    filtered: int = 0
    invalid: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    passing: Counter[str] = field(default_factory=Counter)
    remarks: Counter[str] = field(default_factory=Counter)
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
        self.remarks.update(answer.remarks)
        self.spent.add(answer)

    def __add__(self, other: "Asked") -> "Asked":
        return Asked(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})


class Watcher(Protocol):
    """Is told how a run goes."""

    def update(self, asked: Asked) -> None:
        """Called after each request that ended, one way or the other."""


def ask(
    requests: Iterable[Request],
    server: Server,
    store: ResponseStore,
    pace: Pace,
    watcher: Watcher,
    trusted: bool = False,
    budget: Budget | None = None,
    asked: Asked | None = None,
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
        asked: Where to count, for a caller who wants to know that of a run that failed, too.

    Raises:
        TeacherError: The server refuses access, does not know the model, calls all requests invalid, or is gone.
        StoreError: An answer could not be stored.
    """
    asking = _Asking(store, pace, watcher, trusted, budget or Budget.unlimited(), asked or Asked())
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(asking.run(requests, server))
    except BaseExceptionGroup as group:
        raise _first(group) from None
    return asking.asked


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first exception in a group; workers that fail for the same reason need not say it twice."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


class _Asking:
    def __init__(self, store: ResponseStore, pace: Pace, watcher: Watcher, trusted: bool, budget: Budget, asked: Asked) -> None:
        self.asked = asked
        self._store = store
        self._journal = Journal(store)
        self._pace = pace
        self._gate = Gate(pace.max_concurrency)
        self._slots = asyncio.Semaphore(pace.max_concurrency)
        self._pending: set[bytes] = set()
        self._watcher = watcher
        self._failed_in_a_row = 0
        self._early_invalid: list[tuple[Request, Answer]] = []
        self._has_answered = trusted
        self._budget = budget
        self._under_way = 0
        self._silent_since: float | None = None
        self._error: Exception | None = None
        self._resting: set[asyncio.Task[None]] = set()

    async def run(self, requests: Iterable[Request], server: Server) -> None:
        start = self._pace.clock()
        try:
            async with open_session(server) as session:
                stop = threading.Event()
                going_on = takewhile(lambda _: not stop.is_set(), requests)
                with Feed(unanswered(going_on, self._store, self._pending), stop) as feed:
                    line = Line(feed, self._pace.max_concurrency)
                    async with asyncio.TaskGroup() as group:
                        sender = group.create_task(self._guarded(self._send_all, line, Client(server, session), group))
                        self._resting.add(sender)
            if self._error is not None:
                raise self._error
            if self._early_invalid:
                raise self._all_invalid()
        finally:
            await self._journal.close()
            self.asked.seconds = self._pace.clock() - start

    async def _guarded(self, work: Callable[P, Coroutine[None, None, None]], *args: P.args, **kwargs: P.kwargs) -> None:
        """At an error nothing more is sent: whoever waits to send is cancelled, what is in flight ends."""
        try:
            await work(*args, **kwargs)
        except _AT_ONCE:
            raise
        except Exception as error:
            self._error = self._error or error
            for task in self._resting - {asyncio.current_task()}:
                task.cancel()

    @contextmanager
    def _rest(self) -> Iterator[None]:
        """Marks the current task as one that has nothing in flight."""
        task = asyncio.current_task()
        assert task is not None
        self._resting.add(task)
        try:
            yield
        finally:
            self._resting.discard(task)

    async def _send_all(self, line: Line, client: Client, group: asyncio.TaskGroup) -> None:
        """A server that is not there, or refuses access, is found out with one request, which has a head start for that."""
        tries: int | None = _FIRST_TRIES
        await self._slots.acquire()
        while not self._budget.reached and (request := await line.take()) is not None:
            task = group.create_task(self._guarded(self._one, request, line, client, tries))
            if tries is not None:
                await asyncio.wait({task}, timeout=_HEAD_START)
                tries = None
            await self._slots.acquire()

    async def _one(self, request: Request, line: Line, client: Client, tries_without_connection: int | None) -> None:
        answered = False
        try:
            result = await self._until_final(request, client, tries_without_connection)
            answered = isinstance(result, Answer) and result.outcome is Outcome.ANSWERED
            line.ended(request, answered)
            if isinstance(result, Answer):
                await self._keep(request, result)
            elif result is not None:
                self._count_failure(result)
        finally:
            self._pending.discard(request.key)
            self._slots.release()
        self._watcher.update(self.asked)

    async def _until_final(self, request: Request, client: Client, tries_without_connection: int | None) -> Answer | Failure | None:
        """The last try's result; None if the budget lets no try through, or an error ends the run meanwhile.

        A failure that is likely to stay is tried once more at most.
        """
        lasting = 0
        for attempt in range(self._pace.max_retries + 1):
            with self._rest():
                if self._error is not None or not await self._budget.admit(request):
                    return None
            result = await self._try(request, client)
            if isinstance(result, Answer):
                return result
            if self._error is not None:
                return None
            self._check_stall()
            if result.unconnected:
                self._pace.check_server()
                if tries_without_connection is not None and attempt + 1 >= tries_without_connection:
                    raise TeacherUnreachable(
                        f"the teacher's server at {client.host} cannot be reached ({result.reason}, "
                        f"{attempt + 1} tries); start it, or check augft.teacher.base_url"
                    )
            lasting += result.lasting
            if lasting > 1:
                return result
            if attempt < self._pace.max_retries:
                with self._rest():
                    await self._pace.sleep(self._pace.wait(result, attempt))
        return result

    async def _try(self, request: Request, client: Client) -> Answer | Failure:
        with self._rest():
            mark = await self._gate.enter()
        result: Answer | Failure | None = None
        try:
            with self._rest():
                for meter in self._pace.meters:
                    await meter.before(request)
            result = self._budget.settle(request, await self._sent(request, client))
        finally:
            self._gate.leave(mark, result)
        for meter in self._pace.meters:
            meter.after(request, result)
        if isinstance(result, Failure):
            self.asked.passing[result.reason] += 1
        return result

    async def _sent(self, request: Request, client: Client) -> Answer | Failure:
        """Sends a request, and keeps the time since when an answer has been due: waiting for a limit with nothing sent is no silence."""
        if self._silent_since is None:
            self._silent_since = self._pace.clock()
        self._under_way += 1
        try:
            result = await client.send(request)
        finally:
            self._under_way -= 1
        if isinstance(result, Answer):
            self._silent_since = self._pace.clock() if self._under_way else None
        return result

    def _check_stall(self) -> None:
        silent = self._pace.clock() - self._silent_since if self._silent_since is not None else 0.0
        if silent >= self._pace.stall_timeout:
            seen = ", ".join(f"{reason} {n}" for reason, n in self.asked.passing.most_common())
            raise TeacherUnreachable(
                f"no answer from the teacher's server for {silent:.0f} s (augft.teacher.stall_timeout); failures so far: {seen}; "
                "every answer so far is stored, so run again when the server is well"
            )

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
            "check augft.teacher (api, structured_output, extra_body, max_tokens) against what the server accepts"
        )

    def _count_failure(self, failure: Failure) -> None:
        self.asked.failed[failure.reason] += 1
        self._failed_in_a_row += 1
        if self._failed_in_a_row >= max(8, self._pace.max_concurrency):
            raise TeacherUnreachable(
                f"the teacher's server stopped answering: {self._failed_in_a_row} requests in a row failed after all retries "
                f"(last: {failure.reason}); every answer so far is stored, so run again when the server is well"
            )
