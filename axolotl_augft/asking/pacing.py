"""How requests are sent: how many at a time, how many a minute, how often again, and when to give up.

`Gate` adapts the number in flight to what the server bears, `Rates` keeps to requests and tokens a minute. Whatever
else wants a say before a request is sent (a budget, say) is a `Meter`.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from axolotl_augft.teacher.answer import Answer, Failure
from axolotl_augft.teacher.request import Request
from axolotl_augft.teacher.teacher import Teacher

_LONGEST_WAIT = 600.0
_FALL = 0.7
_ROUNDS_TO_CLIMB = 16
_CHARACTERS_PER_TOKEN = 4


class Meter(Protocol):
    """Is asked before each try of a request, and told what came of it.

    Calls come in pairs, unless the run ends in between.
    """

    async def before(self, request: Request) -> None:
        """Returns when the request may be sent; an AugftError ends the run."""

    def after(self, request: Request, result: Answer | Failure) -> None:
        """Takes note of an answer's usage, or of a failure."""


@dataclass(frozen=True)
class Pace:
    """How requests are sent.

    `check_server` raises if the server is known to be gone. `stall_timeout`: seconds without any answer after which a
    failure ends the run. `sleep`, `jitter` and `clock` are the tests' to replace.
    """

    max_concurrency: int
    max_retries: int
    check_server: Callable[[], None] = lambda: None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random
    clock: Callable[[], float] = time.monotonic
    stall_timeout: float = float("inf")
    meters: tuple[Meter, ...] = ()

    def wait(self, failure: Failure, attempt: int) -> float:
        """Seconds before the next try: what the server asked for, else 0.5, 1, 2 … up to 60, halved at most by chance."""
        if failure.retry_after is not None:
            return min(failure.retry_after, _LONGEST_WAIT)
        return min(60.0, 0.5 * 2.0**attempt) * (0.5 + self.jitter() / 2)


class Gate:
    """Lets through as many requests at a time as the server bears: fewer after it said that it is busy, then slowly more again.

    The limit falls by 30 % when a request that set out after the last fall comes back with 429, 503 or 529, and climbs
    back over some 16 rounds of answers (additive increase, multiplicative decrease, as TCP does).

    Args:
        most: The limit to begin with, and never to exceed.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._limit = float(most)
        self._active = 0
        self._falls = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def limit(self) -> int:
        """Requests that may be under way now."""
        return int(self._limit)

    async def enter(self) -> int:
        """Returns when there is room, with a mark to leave with."""
        while self._active >= self.limit:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn
        self._active += 1
        return self._falls

    def leave(self, mark: int, result: Answer | Failure | None) -> None:
        """Makes room, and learns from the result (None: there is none)."""
        self._active -= 1
        if isinstance(result, Answer):
            step = max(1.0, self._most / _ROUNDS_TO_CLIMB)
            self._limit = min(self._most, self._limit + step / self._limit)
        elif isinstance(result, Failure) and result.busy and mark == self._falls:
            self._limit = max(1.0, self._limit * _FALL)
            self._falls += 1
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


class Rate:
    """Spreads amounts evenly over time: after each, the next waits until the rate allows it.

    Args:
        per_minute: What may pass in a minute.
        clock: Seconds.
    """

    def __init__(self, per_minute: float, clock: Callable[[], float]) -> None:
        self._seconds = 60.0 / per_minute
        self._clock = clock
        self._free = clock()

    def take(self, amount: float) -> float:
        """Seconds to wait before this amount may pass; it counts from now on."""
        now = self._clock()
        wait = max(0.0, self._free - now)
        self._free = max(self._free, now) + amount * self._seconds
        return wait

    def give_back(self, amount: float) -> None:
        """What was taken but not used (negative: used beyond that)."""
        self._free -= amount * self._seconds


class Rates:
    """Keeps to limits of requests and tokens a minute.

    Unlike a bucket that starts full (aiolimiter), it never sends more in any minute than the limit, however the
    provider lays its windows. Tokens are taken as prompt (4 characters a token) and longest answer, and settled once
    the server has said how many there were.

    Args:
        requests: Requests a minute, None for no limit.
        tokens: Tokens a minute, None for no limit.
        clock: Seconds.
        sleep: Waits for so many seconds.
    """

    def __init__(
        self,
        requests: float | None,
        tokens: float | None,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._requests = Rate(requests, clock) if requests else None
        self._tokens = Rate(tokens, clock) if tokens else None
        self._sleep = sleep

    async def before(self, request: Request) -> None:
        """Returns when both limits allow the request."""
        wait = max(
            self._requests.take(1) if self._requests else 0.0,
            self._tokens.take(_expected_tokens(request)) if self._tokens else 0.0,
        )
        if wait > 0:
            await self._sleep(wait)

    def after(self, request: Request, result: Answer | Failure) -> None:
        """Corrects what was taken by what was used."""
        if (
            self._tokens
            and isinstance(result, Answer)
            and result.prompt_tokens is not None
            and result.completion_tokens is not None
        ):
            self._tokens.give_back(_expected_tokens(request) - result.prompt_tokens - result.completion_tokens)


def _expected_tokens(request: Request) -> int:
    return request.size // _CHARACTERS_PER_TOKEN + request.sampling.max_tokens


def teacher_pace(teacher: Teacher, check_server: Callable[[], None], *meters: Meter) -> Pace:
    """The pace that a teacher's settings ask for.

    Args:
        teacher: Who is asked.
        check_server: Raises if the server is known to be gone.
        meters: Whoever else is asked before a request is sent.
    """
    config = teacher.config
    if config.requests_per_minute or config.tokens_per_minute:
        meters = (*meters, Rates(config.requests_per_minute, config.tokens_per_minute, time.monotonic, asyncio.sleep))
    return Pace(
        teacher.max_concurrency,
        config.max_retries,
        check_server,
        stall_timeout=max(config.stall_timeout, config.timeout),
        meters=meters,
    )
