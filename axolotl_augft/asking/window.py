"""Requests that the store does not answer -> stored answers, through a sliding window of requests in flight.

Retries are classified and finite. An answer counts once the store has it on disk, and only then is its place in the
window free. Whatever ends the run, answers that have arrived are stored first. After an error that concerns neither the
server's health nor the store, requests in flight, which are paid for anyway, may still finish.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from typing import ParamSpec

import uvloop

from axolotl_augft.asking.feed import RequestFeed, SendQueue, looked_up, unanswered
from axolotl_augft.asking.journal import Journal
from axolotl_augft.asking.pacing.lanes import Lane, Lanes, open_lanes
from axolotl_augft.asking.patience import Patience
from axolotl_augft.asking.round import Refusals, Round, RoundCounts
from axolotl_augft.errors import StoreError, TeacherError, TeacherServerFailed, TeacherUnreachable
from axolotl_augft.teacher.answer import Answer, Failure, Outcome
from axolotl_augft.teacher.request import Request

P = ParamSpec("P")
_FIRST_TRIES = 3
_HEAD_START = 0.05
_HEAD_START_TO_COMPARE = 30.0
_EMPTY = "empty answer"
_RAISED = "HTTP 500"
_RAISED_TO_SUSPECT_SEED = 3
# After these errors no further answer can arrive or be stored, so requests in flight are cancelled.
_AT_ONCE = (StoreError, TeacherUnreachable, TeacherServerFailed)


def ask(requests: Iterable[Request], round_: Round, missing: bool = False) -> RoundCounts:
    """Send the requests that the store does not answer, and return once each is stored or has failed for good.

    Once `round_.budget.reached` names a limit, no more requests are sent, and answers to those in flight are stored.

    Args:
        requests: The requests; equal requests are sent once.
        round_: The server, the store, the pace and the budget.
        missing: None of the requests is stored, and none is there twice, so they are not looked up.

    Returns:
        `round_.counts`.

    Raises:
        TeacherError: The server refuses access, does not know the model, calls all requests invalid, or is gone.
        StoreError: An answer could not be stored.
    """
    asking = _Asking(round_, missing)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(asking.run(requests))
    except BaseExceptionGroup as group:
        raise _first(group) from None
    return round_.counts


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first exception in a group, because workers usually fail for the same reason."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


class _Asking:
    """The state of a round while its requests are sent."""

    def __init__(self, round_: Round, missing: bool) -> None:
        self._round = round_
        self._are_missing = missing
        self._pace = round_.pace
        self._budget = round_.budget
        self._counts = round_.counts
        self._journal = Journal(round_.store)
        self._lanes: Lanes
        self._slots = asyncio.Semaphore(round_.most_in_flight)
        self._pending: set[bytes] = set()
        self._patience = Patience(round_)
        self._refusals = Refusals(round_.trusted, round_.most_in_flight)
        self._suspects_seed = not round_.trusted
        self._sent = 0
        self._error: Exception | None = None
        self._resting: set[asyncio.Task[None]] = set()

    async def run(self, requests: Iterable[Request]) -> None:
        start = self._pace.clock()
        try:
            async with open_lanes(self._round.servers, self._pace) as self._lanes:
                stop = threading.Event()
                going_on = takewhile(lambda _: not stop.is_set(), requests)
                with RequestFeed(self._lists(going_on), stop) as feed:
                    queue = SendQueue(feed, self._round.most_in_flight)
                    async with asyncio.TaskGroup() as group:
                        sender = group.create_task(self._guarded(self._send_all, queue, group))
                        self._resting.add(sender)
            if self._error is not None:
                raise self._error
            await self._store_all(self._refusals.rest())
        finally:
            await self._journal.close()
            self._counts.seconds += self._pace.clock() - start

    def _lists(self, requests: Iterable[Request]) -> Iterator[list[Request]]:
        return looked_up(requests) if self._are_missing else unanswered(requests, self._round.store, self._pending)

    async def _guarded(self, work: Callable[P, Coroutine[None, None, None]], *args: P.args, **kwargs: P.kwargs) -> None:
        """Run `work`. If it fails, cancel the tasks that are waiting to send, and let requests in flight finish.

        The errors in `_AT_ONCE` are raised instead, which cancels requests in flight as well.
        """
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
        """Mark the current task as having no request in flight, so that it may be cancelled."""
        task = asyncio.current_task()
        assert task is not None
        self._resting.add(task)
        try:
            yield
        finally:
            self._resting.discard(task)

    async def _send_all(self, queue: SendQueue, group: asyncio.TaskGroup) -> None:
        """Send all requests in the order of the queue.

        The first one gets a head start, so that a server that is down or refuses access is noticed with one request.
        Where it can show that the server cuts prompts, the others wait for its answer.
        """
        tries: int | None = None if self._round.again else _FIRST_TRIES
        head_start = _HEAD_START
        if (prompts := self._round.prompts) is not None:
            prompts.served = await self._lanes.window()
            head_start = _HEAD_START_TO_COMPARE if prompts.compares else _HEAD_START
        await self._slots.acquire()
        while not self._budget.reached and (request := await queue.take()) is not None:
            task = group.create_task(self._guarded(self._ask_one, request, queue, tries))
            if tries is not None:
                await asyncio.wait({task}, timeout=head_start)
                tries = None
            await self._slots.acquire()

    async def _ask_one(self, request: Request, queue: SendQueue, tries_without_connection: int | None) -> None:
        answered = False
        try:
            if self._round.prompts is not None:
                self._round.prompts.check_request(request)
            result = await self._until_final(request, tries_without_connection)
            answered = isinstance(result, _Sent) and result.answer.outcome is Outcome.ANSWERED
            queue.ended(request, answered)
            if isinstance(result, _Sent):
                await self._store_answer(request, result)
            elif result is not None:
                await self._blame_seed(request, result)
                self._counts.failed[result.reason] += 1
                self._patience.failed(result)
        finally:
            self._lanes.give_up(request)
            self._pending.discard(request.key)
            self._slots.release()
        self._round.watcher.update(self._counts)

    async def _until_final(self, request: Request, tries_without_connection: int | None) -> "_Sent | Failure | None":
        """Try a request until it has a final answer or the tries are used up, and return the last result.

        After a failure that is likely to last, it is tried once more at most, and so is a request with an empty answer.
        Tries over a limit of the account (429) are not counted, as long as `stall_timeout` ends them. Those at a server
        that is left out from now on are not counted either.

        Returns:
            None if the budget admits no further try, or if an error of another task ends the run.
        """
        lasting = tries = attempt = 0
        was_empty = False
        avoided: Lane | None = None
        while True:
            with self._rest():
                place = await self._may_send(request, avoided)
            if place is None:
                return None
            result = await self._try(request, place, was_empty)
            if isinstance(result, _Sent):
                return result
            if self._error is not None:
                return None
            self._patience.check(request, result)
            avoided = None if result.busy else place.lane
            if self._lanes.leaves_out(place.lane, result):
                lasting = tries = attempt = 0
                continue
            tries += not (result.over_limit and self._pace.stalls)
            if result.unconnected:
                self._pace.check_server()
                if tries_without_connection is not None and tries >= tries_without_connection:
                    raise TeacherUnreachable(
                        f"the teacher's server at {place.lane.client.host} cannot be reached ({result.reason}, "
                        f"{tries} tries); start it, or check augft.teacher.base_url"
                    )
            was_empty = was_empty or result.reason == _EMPTY
            lasting += result.lasting
            if lasting > 1 or (tries > self._pace.max_retries and result.reason != _EMPTY):
                return result
            # While sending is paused, only the request that tries the server has a time to wait for.
            if not result.busy or place.lane.lets_pass(request, place.pauses):
                with self._rest():
                    await self._pace.sleep(self._pace.wait(result, attempt))
            attempt += 1

    async def _may_send(self, request: Request, avoided: Lane | None) -> "_Place | None":
        """Wait until a request may be sent: for a server's limits, the budget, and a place among those in flight there.

        Returns:
            None if the request must not be sent.
        """
        while True:
            lane = self._lanes.choose(request, avoided)
            with lane.expecting():
                pauses = await lane.throttle.turn(request)
                if self._error is not None or not await self._budget.admit(request):
                    return None
                mark = await lane.gate.enter(at_once=lane.throttle.is_probe(request))
            if lane.lets_pass(request, pauses):
                return _Place(lane, mark, pauses)
            lane.gate.leave(mark, None)
            self._budget.release(request)

    async def _try(self, request: Request, place: "_Place", was_empty: bool) -> "_Sent | Failure":
        lane = place.lane
        result: Answer | Failure | None = None
        try:
            with self._rest():
                for meter in self._pace.meters:
                    await meter.before(request)
            self._sent += 1
            number = self._sent
            result = await self._timed_send(request, lane)
            if not was_empty and self._error is None and _is_no_answer(result):
                result = Failure(_EMPTY)
            result = self._budget.settle(request, result)
        finally:
            lane.throttle.after(request, place.pauses, result, lane.client.quota, lane.under_way)
            lane.gate.leave(place.mark, result)
        for meter in self._pace.meters:
            meter.after(request, result)
        if isinstance(result, Answer):
            return _Sent(result, number)
        self._counts.failed_try(result)
        return result

    async def _timed_send(self, request: Request, lane: Lane) -> Answer | Failure:
        lane.under_way += 1
        try:
            with self._patience.waiting():
                result = await lane.client.send(request)
        finally:
            lane.under_way -= 1
        if isinstance(result, Answer):
            self._patience.heard()
        return result

    async def _store_answer(self, request: Request, sent: "_Sent") -> None:
        answer = sent.answer
        self._patience.answered(answer)
        if answer.outcome is Outcome.ANSWERED and self._round.prompts is not None:
            self._round.prompts.check_answer(request, answer)
        await self._store_all(self._refusals.admit(request, answer, sent.number))
        if answer.outcome is Outcome.INVALID:
            self._refusals.check()

    async def _store_all(self, admitted: Iterable[tuple[Request, Answer]]) -> None:
        for request, answer in admitted:
            await self._journal.put(request, answer)
            self._counts.add(answer)

    async def _blame_seed(self, request: Request, failure: Failure) -> None:
        """Find out whether a server that has answered nothing but 500 answers without a seed (vLLM on CPUs).

        A single 500 proves nothing, and 502 to 504 come from a server that is starting or overloaded.

        Raises:
            TeacherError: It does.
        """
        raised = self._counts.failed_tries[_RAISED] if failure.reason == _RAISED else 0
        suspects = self._suspects_seed and not self._patience.any_answered and raised >= _RAISED_TO_SUSPECT_SEED
        if not suspects or "seed" not in request.settings("") or not await self._budget.admit(request):
            return
        self._suspects_seed = False
        client = self._lanes.choose(request).client
        result = self._budget.settle(request, await client.send(request, leave_out="seed"))
        if isinstance(result, Answer) and result.outcome is Outcome.ANSWERED:
            raise TeacherError(
                f"the teacher's server at {client.host} fails ({failure.reason}) on every request with a seed, and "
                "answers without one; set augft.teacher.extra_body: {seed: null}"
            )


def _is_no_answer(result: Answer | Failure) -> bool:
    """Whether the teacher ended its answer at once, which is worth another try."""
    return isinstance(result, Answer) and result.is_empty and not result.was_cut


@dataclass(frozen=True, slots=True)
class _Place:
    """A place among the requests in flight at a server: its gate's mark, and the number of pauses before it."""

    lane: Lane
    mark: int
    pauses: int


@dataclass(frozen=True, slots=True)
class _Sent:
    """A final answer, with the number of its try in the order of sending."""

    answer: Answer
    number: int
