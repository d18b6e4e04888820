"""Results of requests -> how many may be in flight: as many as the server can take."""

import asyncio
from collections import deque

from axolotl_augft.teacher.answer import Answer, Failure

_FALL = 0.7
_ROUNDS_TO_CLIMB = 16
_ANSWERS_PER_STEP = 16
_TICK = 0.25


class Gate:
    """Limits the requests in flight to what the server can take: fewer after it was busy, then slowly more again.

    It begins with `first` requests. One more is let in for every 16 answers, and `first` more for every quarter of a
    second, so that a provider's limit is met with few requests in flight and a slow server is soon given enough to do.
    The limit falls by 30 % when a request that was sent after the last fall comes back with 429, 503 or 529. It climbs
    back over some 16 rounds of answers (additive increase, multiplicative decrease, as in TCP).

    Args:
        most: The highest limit.
        first: The initial limit; None for the highest.
    """

    def __init__(self, most: int, first: int | None = None) -> None:
        self._most = most
        self._first = min(most, first or most)
        self._limit = float(self._first)
        self._starting = self._first < most
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
        while not (at_once or self._ended) and self._active >= self.limit:
            if self._starting and self._timer is None:
                self._look_again(asyncio.get_running_loop())
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
            self._limit = min(self._most, self._limit + self._step())
            self._starting = self._starting and self._limit < self._most
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
            return 1.0 / _ANSWERS_PER_STEP
        return max(1.0, self._most / _ROUNDS_TO_CLIMB) / self._limit

    def _look_again(self, loop: asyncio.AbstractEventLoop) -> None:
        def look() -> None:
            self._timer = None
            if self._starting:
                self._limit = min(self._most, self._limit + self._first)
                self._starting = self._limit < self._most
                self._fill()
            if self._starting and self._waiting:
                self._look_again(loop)

        self._timer = loop.call_later(_TICK, look)

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
