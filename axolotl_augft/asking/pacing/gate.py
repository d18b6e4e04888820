"""Results of requests -> how many may be in flight: as many as the server can take."""

import asyncio
from collections import deque
from collections.abc import Callable

from axolotl_augft.teacher.answer import Answer, Failure

_FALL = 0.7
_ROUNDS_TO_CLIMB = 16
_DOUBLED_AFTER = 0.0625
_DOUBLINGS = 32


class Gate:
    """Limits the requests in flight to what the server can take: fewer after it was busy, then slowly more again.

    It begins with `first` requests, and lets in twice as many after every sixteenth of a second, so that a provider
    that allows only a few is met with few, and any other is soon given enough to do. The limit falls by 30 % when a
    request that was sent after the last fall comes back with 429, 503 or 529. It climbs back over some 16 rounds of
    answers (additive increase, multiplicative decrease, as in TCP).

    Args:
        most: The highest limit.
        clock: Returns a time in seconds.
        first: The initial limit; None for the highest.
    """

    def __init__(self, most: int, clock: Callable[[], float], first: int | None = None) -> None:
        self._most = most
        self._clock = clock
        self._limit = float(min(most, first or most))
        self._starting = self._limit < most
        self._looked_at: float | None = None
        self._goal = 0.0
        self._narrowed = False
        self._active = 0
        self._falls = 0
        self._ended = False
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def limit(self) -> int:
        """Number of requests that may be in flight now."""
        return int(self._limit)

    @property
    def room(self) -> int:
        """Number of requests that may be let in now; below 0 after the limit fell."""
        return self.limit - self._active

    async def enter(self, at_once: bool = False) -> int:
        """Wait until there is room, and return a mark to pass to `leave`.

        Args:
            at_once: Enter even if there is no room.
        """
        self._open()
        while not (at_once or self._ended) and self._active >= self.limit:
            if self._starting and self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(_DOUBLED_AFTER, self._look_again)
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn
        self._active += 1
        return self._falls

    def leave(self, mark: int, result: Answer | Failure | None) -> None:
        """Make room, and adapt the limit to the result.

        Args:
            mark: What `enter` returned.
            result: The result of the try, None if it was never completed.
        """
        self._active -= 1
        if self._narrowed:
            self._limit = max(1.0, min(self._limit, self._active))
            return
        if isinstance(result, Answer):
            self._open()
            self._limit = min(self._most, self._limit + self._step())
        elif isinstance(result, Failure) and result.busy and mark == self._falls:
            self._limit = max(1.0, self._limit * _FALL)
            self._falls += 1
            self._starting = False
        self._fill()

    def end(self) -> None:
        """Let everybody in who waits or comes: nothing is sent through this gate any more."""
        self._ended = True
        for _ in range(len(self._waiting)):
            self._let_in()

    def narrow(self) -> None:
        """Let nobody in until `widen` is called, except at once."""
        self._goal = max(self._limit, self._goal)
        self._narrowed, self._starting = True, False
        self._falls += 1

    def widen(self) -> None:
        """Let requests in again: as many as are in flight now, and one more for each answer, up to the limit before."""
        self._narrowed = False
        self._limit = max(1.0, min(float(self._active), self._goal))
        self._fill()

    def _step(self) -> float:
        if self._limit < self._goal:
            return 1.0
        self._goal = 0.0
        if self._starting:
            return 0.0
        return max(1.0, self._most / _ROUNDS_TO_CLIMB) / self._limit

    def _open(self) -> None:
        """Raise the limit by the time since this was done last."""
        if not self._starting:
            return
        now = self._clock()
        if self._looked_at is not None:
            doublings = min(_DOUBLINGS, (now - self._looked_at) / _DOUBLED_AFTER)
            self._limit = min(self._most, self._limit * 2.0**doublings)
            self._starting = self._limit < self._most
        self._looked_at = now

    def _look_again(self) -> None:
        """Let in those who wait although no answer comes, again and again."""
        self._timer = None
        self._open()
        self._fill()
        if self._starting and self._waiting:
            self._timer = asyncio.get_running_loop().call_later(_DOUBLED_AFTER, self._look_again)

    def _fill(self) -> None:
        for _ in range(self.limit - self._active):
            if not self._let_in():
                break

    def _let_in(self) -> bool:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return True
        return False
