"""Limits on dollars and requests: asked before each try, told of each result.

What is in flight counts at its worst: one token a byte where the teacher's tokenizer is not at hand, no prompt token
cached, the answer at its longest. So `max_cost_usd` is not passed, as long as the server keeps to `max_tokens`. A
request that does not fit waits for those in flight, which mostly cost less than feared; when none is in flight and it
still does not fit, the limit is reached.

The limits are for a recipe's answers over all its runs: what the stored ones cost is known before the first request is
sent, so a run that goes on where another stopped counts nothing twice and starts no budget anew.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import orjson

from axolotl_augft.config.augft import AugftConfig
from axolotl_augft.errors import BudgetReached, ConfigError
from axolotl_augft.teacher.answer import Answer, Failure, Outcome
from axolotl_augft.teacher.prices import NANO, Price, no_price
from axolotl_augft.teacher.request import Prefix, Request
from axolotl_augft.teacher.spending import Spent, dollars
from axolotl_augft.teacher.teacher import Teacher

_CHAT_TEMPLATE_TOKENS = 64
_PREFIXES = 64
_NOT_BILLED = ("no connection", "proxy", "unknown host", "TLS error", "HTTP ")
_TIMED_OUT = {"HTTP 408", "HTTP 504", "HTTP 524"}


@dataclass(frozen=True)
class Limits:
    """Most dollars (in nanodollars) and most requests, None for no limit."""

    nanodollars: int | None = None
    requests: int | None = None


class Budget:
    """Lets requests through as long as the limits hold, and gives each answer its price.

    Args:
        limits: None of them for a budget that only prices answers.
        price: What tokens cost, None where that is not known.
        worst_tokens: Most prompt tokens that a request can have.
    """

    def __init__(self, limits: Limits, price: Price | None, worst_tokens: Callable[[Request], int]) -> None:
        self._limits = limits
        self._price = price
        self._worst_tokens = worst_tokens
        self._answered = 0
        self._cost = 0
        self._own_cost = 0
        self._lost = 0
        self._reserved: dict[bytes, int] = {}
        self._held = 0
        self._waiting: list[asyncio.Future[None]] = []
        self.reached: str | None = None
        """The key of the limit that ended the run, None as long as none did."""

    @classmethod
    def unlimited(cls) -> "Budget":
        """No limits, no price."""
        return cls(Limits(), None, lambda _: 0)

    @property
    def is_limited(self) -> bool:
        """Whether there is any limit."""
        return self._limits != Limits()

    def count(self, spent: Spent) -> None:
        """Counts answers that are stored already. Those whose cost is not known count nothing."""
        self._answered += spent.answers
        self._cost += spent.nanodollars

    async def admit(self, request: Request) -> bool:
        """Whether a try may be sent; waits while what is in flight stands in its way."""
        while not self.try_admit(request):
            if self.reached:
                return False
            freed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(freed)
            await freed
        return True

    def try_admit(self, request: Request) -> bool:
        """Whether a try may be sent now; False for good once `reached` names a limit."""
        if self.reached:
            return False
        if not self.is_limited:
            return True
        cost = self._worst(request)
        hit = self._hit(cost)
        if hit is None:
            self._reserve(request, cost)
        elif not self._reserved:
            self.reached = hit
            self._wake()
        return hit is None

    def hold(self, request: Request) -> None:
        """Counts a request that was sent before this run began and has no result yet."""
        self._reserve(request, self._worst(request))

    def settle(self, request: Request, result: Answer | Failure) -> Answer | Failure:
        """Takes a try's result for its reservation; an answer comes back with its price.

        A try that may have been worked on without an answer to show for it (a time-out, say) may have been billed: it
        stays counted at its worst for this run.
        """
        reserved = self.release(request)
        if isinstance(result, Failure):
            if not result.reason.startswith(_NOT_BILLED) or result.reason in _TIMED_OUT:
                self._lost += reserved
            return result
        answer = replace(result, nanodollars=self.price_of(result)) if self._price else result
        cost = reserved if answer.nanodollars is None else answer.nanodollars
        self._answered += 1
        self._cost += cost
        self._own_cost += cost
        return answer

    def release(self, request: Request) -> int:
        """Gives back what was reserved for a request, and says how much that was."""
        reserved = self._reserved.pop(request.key, 0)
        self._held -= reserved
        self._wake()
        return reserved

    def price_of(self, answer: Answer) -> int | None:
        """What an answer cost, in nanodollars; None where its tokens or the price are unknown.

        Refused requests cost nothing.
        """
        if self._price is None:
            return None
        if answer.prompt_tokens is None or answer.completion_tokens is None:
            return None if answer.outcome is Outcome.ANSWERED else 0
        cached = min(answer.cached_tokens or 0, answer.prompt_tokens)
        return self._price.cost(answer.prompt_tokens, cached, answer.completion_tokens)

    def error(self, remaining: int) -> BudgetReached:
        """What ended the run, in one line. `remaining`: requests without an answer."""
        limit = {"max_requests": self._limits.requests, "max_cost_usd": (self._limits.nanodollars or 0) / NANO}[
            self.reached or ""
        ]
        spent = (
            f"; {dollars(self._cost / NANO)} spent, {dollars(self._own_cost / NANO)} of it in this run"
            if self._price
            else ""
        )
        lost = f", and {dollars(self._lost / NANO)} counted for tries that got no answer" if self._lost else ""
        return BudgetReached(
            f"augft.{self.reached} ({limit:,}) leaves no room for another request{spent}{lost}; {self._answered:,} "
            f"answers are stored, "
            f"{remaining:,} requests remain: raise augft.{self.reached} and run again to go on from here"
        )

    def _reserve(self, request: Request, cost: int) -> None:
        self._reserved[request.key] = cost
        self._held += cost

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for freed in waiting:
            if not freed.done():
                freed.set_result(None)

    def _hit(self, cost: int) -> str | None:
        """The limit that one more request of this cost would pass."""
        most, limit = self._limits.requests, self._limits.nanodollars
        if most is not None and self._answered + len(self._reserved) + 1 > most:
            return "max_requests"
        if limit is not None and self._cost + self._lost + self._held + cost > limit:
            return "max_cost_usd"
        return None

    def _worst(self, request: Request) -> int:
        if self._price is None or self._limits.nanodollars is None:
            return 0
        extra = dict(request.extra_body)
        longest = max(
            request.sampling.max_tokens, *(_number(extra.get(k)) for k in ("max_tokens", "max_completion_tokens"))
        )
        return self._price.cost(self._worst_tokens(request), 0, longest * max(1, _number(extra.get("n"))))


def recipe_budget(config: AugftConfig, teacher: Teacher, price: Price | None) -> Budget:
    """The budget of a recipe; what its stored answers cost is for the caller to `count`.

    Raises:
        ConfigError: `max_cost_usd` is set, but what the teacher costs is not known.
    """
    if config.max_cost_usd is not None and price is None:
        raise ConfigError(f"augft.max_cost_usd is set, but {no_price(config.teacher, teacher.model)}")
    limit = None if config.max_cost_usd is None else round(config.max_cost_usd * NANO)
    return Budget(Limits(limit, config.max_requests), price, worst_tokens(teacher))


def worst_tokens(teacher: Teacher) -> Callable[[Request], int]:
    """Counts a request's prompt tokens, never too few: by the teacher's tokenizer, else one a byte."""
    count = teacher.tokens.count if teacher.tokens.exact else lambda text: len(text.encode())

    @lru_cache(_PREFIXES)
    def prefix_tokens(prefix: Prefix) -> int:
        return count(prefix.system) + count(prefix.text)

    def schema_tokens(request: Request) -> int:
        schema = dict(request.extra_body).get("response_format")
        return count(orjson.dumps(schema).decode()) if schema else 0

    return lambda request: (
        prefix_tokens(request.prefix) + count(request.target) + schema_tokens(request) + _CHAT_TEMPLATE_TOKENS
    )


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
