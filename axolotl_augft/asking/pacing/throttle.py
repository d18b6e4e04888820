"""Refusals because of a limit (429) -> a pause of all sending, one request that tries the server, and a learned rate.

A server that names a time to wait, or that refuses several requests in a row, gets nothing until one request, the
probe, has been answered. From the answers between two pauses the rate is learned that the server allows; later requests
are spread by it.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from axolotl_augft.asking.pacing.gate import Gate
from axolotl_augft.teacher.answer import Answer, Failure
from axolotl_augft.teacher.failures import Quota
from axolotl_augft.teacher.request import Request

_REFUSALS = 8
_REFUSALS_LATER = 2
_FORGIVEN = 0.25
_ENOUGH_TO_LEARN = 8
_HARMLESS = 1.0
_LONGEST_PAUSE = 600.0
_MARGIN = 0.95
_CALM_SECONDS = 30.0
_GROWTH = 1.02
_FASTEST = 1000.0


class Throttle:
    """Holds requests back while the server refuses them because of a limit.

    Each request calls `turn`, then `lets_pass` right before it is sent, then `after`; or `give_up` if it is not sent
    again. Refusals of requests that were sent before the last pause say nothing new, however late they arrive.

    Args:
        gate: Limits the requests in flight; it is narrowed by a pause.
        clock: Returns a time in seconds.
        sleep: Waits for a number of seconds.
    """

    def __init__(self, gate: Gate, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]]) -> None:
        self._gate = gate
        self._clock = clock
        self._sleep = sleep
        self._closed = False
        self._probe: bytes | None = None
        self._until = 0.0
        self._refusals = 0.0
        self._pauses = 0
        self._enough = _REFUSALS
        self._closed_at: float | None = None
        self._answers = 0
        self._rate: float | None = None
        self._next = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def rate(self) -> float | None:
        """Requests per second that the server was found to allow; None before two pauses."""
        return self._rate

    def is_probe(self, request: Request) -> bool:
        """Whether this request is to try whether the server takes requests again."""
        return self._closed and self._probe == request.key

    def lets_pass(self, request: Request, pauses: int | None = None) -> bool:
        """Whether a request may be sent right now.

        Args:
            request: The request.
            pauses: What `turn` returned; a request whose turn came before a later pause has to wait for another.
        """
        return self._probe == request.key if self._closed else pauses in (None, self._pauses)

    async def turn(self, request: Request) -> int:
        """Wait while sending is paused, and for the request's turn at the learned rate; return the number of pauses."""
        while self._closed and self._probe != request.key:
            if self._probe is None:
                self._probe = request.key
                await self._wait(self._until)
                return self._pauses
            opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(opened)
            await opened
        if self._rate is not None and not self._closed:
            at = max(self._next, self._clock())
            self._next = at + 1.0 / self._rate
            pauses = self._pauses
            await self._wait(at)
            return pauses
        return self._pauses

    def after(
        self, request: Request, pauses: int, result: Answer | Failure | None, quota: Quota | None, in_flight: int
    ) -> None:
        """Learn from the result of a try.

        Args:
            request: The request.
            pauses: What `turn` returned before it was sent.
            result: The result, None if it was never completed.
            quota: What the response said of the requests that are still allowed.
            in_flight: Number of requests that are still in flight.
        """
        if isinstance(result, Answer):
            self._answered(request, quota, in_flight)
        elif isinstance(result, Failure) and (result.over_limit or (result.busy and result.retry_after)):
            if self._closed or pauses != self._pauses:
                return
            self._refusals += 1
            if result.retry_after or self._refusals >= self._enough:
                self._close(request.key, 0.0)
        elif self.is_probe(request):
            self._open()

    def give_up(self, request: Request) -> None:
        """Let another request try the server, if it was this one's part and this one is not sent again."""
        if self.is_probe(request):
            self._probe = None
            self._wake(1)

    def end(self) -> None:
        """Let all requests go that wait: nothing is sent to this server any more."""
        self._rate = None
        if self._closed:
            self._open()

    def _answered(self, request: Request, quota: Quota | None, in_flight: int) -> None:
        self._refusals = max(0.0, self._refusals - _FORGIVEN)
        self._answers += 1
        if self.is_probe(request):
            self._open()
        if self._rate is not None and self._closed_at is not None:
            if self._clock() - self._closed_at > _CALM_SECONDS:
                self._rate *= _GROWTH
            if self._rate > _FASTEST:
                self._rate = None
        if quota is not None and quota.reset > 0 and quota.remaining <= in_flight and not self._closed:
            self._close(None, quota.reset)

    def _close(self, probe: bytes | None, seconds: float) -> None:
        now = self._clock()
        if self._closed_at is not None and now > self._closed_at and self._answers:
            self._learn(self._answers, now - self._closed_at)
        if self._closed_at is None or self._rate is not None:
            self._closed_at, self._answers = now, 0
        self._closed = True
        self._refusals = 0.0
        self._pauses += 1
        self._probe = probe
        self._until = now + min(seconds, _LONGEST_PAUSE)
        self._enough = _REFUSALS_LATER
        self._gate.narrow()

    def _learn(self, answers: int, seconds: float) -> None:
        found = _MARGIN * answers / seconds
        # A few answers say little. A rate that is too high is corrected at the next pause, one that is too low lasts.
        if answers >= _ENOUGH_TO_LEARN or (self._rate is None and found >= _HARMLESS):
            self._rate = found
        elif self._rate is not None:
            self._rate = max(found, self._rate / 2)

    def _open(self) -> None:
        self._closed, self._probe = False, None
        self._next = self._clock()
        self._gate.widen()
        self._wake(len(self._waiting))

    def _wake(self, number: int) -> None:
        while number > 0 and self._waiting:
            opened = self._waiting.popleft()
            if not opened.done():
                opened.set_result(None)
                number -= 1

    async def _wait(self, until: float) -> None:
        if (seconds := until - self._clock()) > 0:
            await self._sleep(seconds)
