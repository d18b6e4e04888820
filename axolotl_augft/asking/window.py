"""Requests without an answer -> answers in the store: a sliding window of requests in flight, with classified, finite retries.

An answer counts once the store has it on disk, and only then is its place in the window free. Whatever ends the run,
the answers that arrived are stored first. An error that says nothing of the server's health or the store's lets what is
in flight, and paid for, end too.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from typing import ParamSpec

import uvloop

from axolotl_augft.asking.feed import RequestFeed, SendQueue, unanswered
from axolotl_augft.asking.journal import Journal
from axolotl_augft.asking.pacing import Gate
from axolotl_augft.asking.round import EarlyInvalid, Round, RoundCounts
from axolotl_augft.errors import StoreError, TeacherServerFailed, TeacherUnreachable
from axolotl_augft.teacher.answer import Answer, Failure, Outcome
from axolotl_augft.teacher.client import Client, open_session
from axolotl_augft.teacher.request import Request

P = ParamSpec("P")
_FIRST_TRIES = 3
_EARLY_INVALID = 8
_HEAD_START = 0.05
# With these no further answer can come, or be kept.
_AT_ONCE = (StoreError, TeacherUnreachable, TeacherServerFailed)


def ask(requests: Iterable[Request], round_: Round) -> RoundCounts:
    """Asks the requests that the store does not answer, and returns when each is stored or has failed for good.

    Once `round_.budget.reached`, nothing more is sent, and what was in flight is stored.

    Args:
        requests: What to ask; equal requests are asked once.
        round_: The server, the store, and how to go about it.

    Raises:
        TeacherError: The server refuses access, does not know the model, calls all requests invalid, or is gone.
        StoreError: An answer could not be stored.
    """
    asking = _Asking(round_)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(asking.run(requests))
    except BaseExceptionGroup as group:
        raise _first(group) from None
    return round_.counts


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first exception in a group; workers that fail for the same reason need not say it twice."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


class _Asking:
    """A round under way."""

    def __init__(self, round_: Round) -> None:
        self._round = round_
        self._pace = round_.pace
        self._budget = round_.budget
        self._counts = round_.counts
        self._journal = Journal(round_.store)
        self._gate = Gate(round_.pace.max_concurrency)
        self._slots = asyncio.Semaphore(round_.pace.max_concurrency)
        self._pending: set[bytes] = set()
        self._failed_in_a_row = 0
        self._early_invalid = EarlyInvalid(round_.trusted)
        self._under_way = 0
        self._silent_since: float | None = None
        self._error: Exception | None = None
        self._resting: set[asyncio.Task[None]] = set()

    async def run(self, requests: Iterable[Request]) -> None:
        start = self._pace.clock()
        try:
            async with open_session(self._round.server) as session:
                stop = threading.Event()
                going_on = takewhile(lambda _: not stop.is_set(), requests)
                with RequestFeed(unanswered(going_on, self._round.store, self._pending), stop) as feed:
                    queue = SendQueue(feed, self._pace.max_concurrency)
                    async with asyncio.TaskGroup() as group:
                        sender = group.create_task(
                            self._guarded(self._send_all, queue, Client(self._round.server, session), group)
                        )
                        self._resting.add(sender)
            if self._error is not None:
                raise self._error
            if self._early_invalid:
                raise self._early_invalid.error()
        finally:
            await self._journal.close()
            self._counts.seconds = self._pace.clock() - start

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

    async def _send_all(self, queue: SendQueue, client: Client, group: asyncio.TaskGroup) -> None:
        """A server that is not there, or refuses access, is found out with one request, which has a head start for that."""
        tries: int | None = _FIRST_TRIES
        await self._slots.acquire()
        while not self._budget.reached and (request := await queue.take()) is not None:
            task = group.create_task(self._guarded(self._one, request, queue, client, tries))
            if tries is not None:
                await asyncio.wait({task}, timeout=_HEAD_START)
                tries = None
            await self._slots.acquire()

    async def _one(
        self, request: Request, queue: SendQueue, client: Client, tries_without_connection: int | None
    ) -> None:
        answered = False
        try:
            result = await self._until_final(request, client, tries_without_connection)
            answered = isinstance(result, Answer) and result.outcome is Outcome.ANSWERED
            queue.ended(request, answered)
            if isinstance(result, Answer):
                await self._keep(request, result)
            elif result is not None:
                self._count_failure(result)
        finally:
            self._pending.discard(request.key)
            self._slots.release()
        self._round.watcher.update(self._counts)

    async def _until_final(
        self, request: Request, client: Client, tries_without_connection: int | None
    ) -> Answer | Failure | None:
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
            self._counts.passing[result.reason] += 1
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
            seen = ", ".join(f"{reason} {n}" for reason, n in self._counts.passing.most_common())
            raise TeacherUnreachable(
                f"no answer from the teacher's server for {silent:.0f} s (augft.teacher.stall_timeout); failures so "
                f"far: {seen}; "
                "every answer so far is stored, so run again when the server is well"
            )

    async def _keep(self, request: Request, answer: Answer) -> None:
        self._failed_in_a_row = 0
        for admitted_request, admitted in self._early_invalid.admit(request, answer):
            await self._journal.put(admitted_request, admitted)
            self._counts.add(admitted)
        if len(self._early_invalid) >= _EARLY_INVALID:
            raise self._early_invalid.error()

    def _count_failure(self, failure: Failure) -> None:
        self._counts.failed[failure.reason] += 1
        self._failed_in_a_row += 1
        if self._failed_in_a_row >= max(8, self._pace.max_concurrency):
            raise TeacherUnreachable(
                f"the teacher's server stopped answering: {self._failed_in_a_row} requests in a row failed after all "
                f"retries "
                f"(last: {failure.reason}); every answer so far is stored, so run again when the server is well"
            )
