"""Settings of the teacher -> the pace of sending: concurrency, requests and tokens per minute, retries, giving up.

`Rates` keeps to limits per minute; it is a `Meter`, the protocol of everything that may delay a request.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from axolotl_augft.teacher.answer import Answer, Failure
from axolotl_augft.teacher.request import Request
from axolotl_augft.teacher.teacher import Teacher

_LONGEST_WAIT = 600.0
_CHARACTERS_PER_TOKEN = 4
_FIRST_CONCURRENCY = 8


class Meter(Protocol):
    """Controls when a request may be sent, and learns the result of each try.

    Each call of `before` is followed by one of `after`, unless the run ends in between.
    """

    async def before(self, request: Request) -> None:
        """Return once the request may be sent.

        Raises:
            AugftError: The run must end.
        """

    def after(self, request: Request, result: Answer | Failure) -> None:
        """Record the result of a try."""


@dataclass(frozen=True)
class Pace:
    """How requests are sent.

    Attributes:
        max_concurrency: Most requests in flight.
        max_retries: How often a failed request is sent again.
        check_server: Raises TeacherServerFailed if the server is known to be gone.
        sleep: Waits for a number of seconds; replaced in tests.
        jitter: Returns a random number from 0 to 1; replaced in tests.
        clock: Returns a time in seconds; replaced in tests.
        stall_timeout: Seconds without any answer after which the next failure ends the run.
        meters: Each is consulted before a request is sent.
        first_concurrency: Most requests in flight at the start, before the server has shown what it takes.
    """

    max_concurrency: int
    max_retries: int
    check_server: Callable[[], None] = lambda: None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random
    clock: Callable[[], float] = time.monotonic
    stall_timeout: float = float("inf")
    meters: tuple[Meter, ...] = ()
    first_concurrency: int = _FIRST_CONCURRENCY

    @property
    def stalls(self) -> bool:
        """Whether silence ends the run; only then may requests over a limit (429) be tried without end."""
        return self.stall_timeout < float("inf")

    def wait(self, failure: Failure, attempt: int) -> float:
        """Return the seconds to wait before the next try.

        This is what the server asked for, but at most 600 s. If it asked for nothing, it is 0.5, 1, 2 … up to 60 s,
        randomly shortened by up to half.

        Args:
            failure: The failure of the last try.
            attempt: Number of failed tries before the last one.
        """
        own = min(60.0, 0.5 * 2.0**attempt) * (0.5 + self.jitter() / 2)
        if failure.retry_after is None:
            return own
        # A server that goes on refusing after the time it named is not to be asked without a pause.
        least = own / 4 if failure.over_limit and attempt > 1 else 0.0
        return min(max(failure.retry_after, least), _LONGEST_WAIT)


class Rate:
    """Spreads amounts evenly over time: each waits until the amounts before it have used up their time.

    Args:
        per_minute: Amount allowed per minute.
        clock: Returns a time in seconds.
    """

    def __init__(self, per_minute: float, clock: Callable[[], float]) -> None:
        self._seconds = 60.0 / per_minute
        self._clock = clock
        self._free = clock()

    def take(self, amount: float) -> float:
        """Book an amount now, and return the seconds to wait before it may be used."""
        now = self._clock()
        wait = max(0.0, self._free - now)
        self._free = max(self._free, now) + amount * self._seconds
        return wait

    def give_back(self, amount: float) -> None:
        """Return an amount that was taken but not used; negative if more was used than taken."""
        self._free -= amount * self._seconds


class Rates:
    """Keeps to limits of requests and tokens per minute.

    Unlike a token bucket that starts full (aiolimiter), it never sends more than the limit in any minute, wherever the
    provider's windows begin. The tokens of a request are estimated as its prompt (4 characters per token) plus its
    longest answer, and corrected once the server has reported them.

    Args:
        requests: Requests per minute, None for no limit.
        tokens: Tokens per minute, None for no limit.
        clock: Returns a time in seconds.
        sleep: Waits for a number of seconds.
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
        """Return once both limits allow the request."""
        wait = max(
            self._requests.take(1) if self._requests else 0.0,
            self._tokens.take(_expected_tokens(request)) if self._tokens else 0.0,
        )
        if wait > 0:
            await self._sleep(wait)

    def after(self, request: Request, result: Answer | Failure) -> None:
        """Correct the estimated tokens to those that the answer reports."""
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
    """Make the pace that a teacher's settings ask for.

    Args:
        teacher: The teacher model.
        check_server: Raises TeacherServerFailed if the server is known to be gone.
        meters: Further meters, consulted before the limits per minute.
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
        first_concurrency=_FIRST_CONCURRENCY if teacher.backend == "endpoint" else teacher.max_concurrency,
    )
