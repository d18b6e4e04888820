"""A request about to be sent -> admitted, or refused because it could exceed `max_cost_usd` or `max_requests`.

Requests in flight count at their worst-case cost: one token per byte if the teacher's tokenizer is not available, no
cached prompt tokens, and the longest possible answer. Therefore `max_cost_usd` is never exceeded, as long as the server
respects `max_tokens`. A request that does not fit waits for those in flight, which usually cost less than their worst
case. If it still does not fit when none is in flight, the limit is reached.

The limits apply to a recipe's answers over all its runs. The cost of the stored answers is counted before the first
request is sent, so a resumed run neither counts an answer twice nor starts with a fresh budget.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import orjson

from axolotl_augft.config.augft import AugftConfig
from axolotl_augft.errors import BudgetReached, ConfigError
from axolotl_augft.teacher.answer import Answer, Failure, Outcome
from axolotl_augft.teacher.prices import NANO, Price, find_price, missing_price_message
from axolotl_augft.teacher.request import Prefix, Request
from axolotl_augft.teacher.spending import Spent, dollars
from axolotl_augft.teacher.teacher import Teacher

_CHAT_TEMPLATE_TOKENS = 64
_PREFIXES = 64
_NOT_BILLED = ("no connection", "proxy", "unknown host", "TLS error", "HTTP ")
_TIMED_OUT = {"HTTP 408", "HTTP 504", "HTTP 524"}


@dataclass(frozen=True)
class Limits:
    """Limits of a recipe; None means no limit.

    Attributes:
        nanodollars: Highest cost, in 10^-9 dollars.
        requests: Most answered requests.
    """

    nanodollars: int | None = None
    requests: int | None = None


@dataclass(frozen=True)
class Tariff:
    """What the requests to one model cost.

    Attributes:
        price: Price of its tokens, None if it is unknown.
        worst_tokens: Returns an upper bound of a request's prompt tokens.
    """

    price: Price | None
    worst_tokens: Callable[[Request], int]


class Budget:
    """Admits requests while the limits allow it, and prices answers.

    Args:
        limits: The limits; `Limits()` for a budget that only prices answers.
        price: Price of the teacher's tokens, None if it is unknown.
        worst_tokens: Returns an upper bound of a request's prompt tokens.
    """

    def __init__(self, limits: Limits, price: Price | None, worst_tokens: Callable[[Request], int]) -> None:
        self._limits = limits
        self._tariff = Tariff(price, worst_tokens)
        self._others: dict[str, Tariff] = {}
        self._answered = 0
        self._cost = 0
        self._own_cost = 0
        self._lost = 0
        self._reserved: dict[bytes, int] = {}
        self._held = 0
        self._waiting: list[asyncio.Future[None]] = []
        self.reached: str | None = None
        """Key of the limit that was reached, None if there is none yet."""

    @classmethod
    def unlimited(cls) -> "Budget":
        """Make a budget without limits and prices."""
        return cls(Limits(), None, lambda _: 0)

    def add_model(self, model_id: str, tariff: Tariff) -> None:
        """Let requests to a second model count towards the same limits, each by its model's own tariff."""
        self._others[model_id] = tariff

    @property
    def is_limited(self) -> bool:
        """Whether any limit is set."""
        return self._limits != Limits()

    def count(self, spent: Spent) -> None:
        """Count answers that are already stored; those of unknown cost count as requests, but not in dollars."""
        self._answered += spent.answers
        self._cost += spent.nanodollars

    async def admit(self, request: Request) -> bool:
        """Reserve room for a try, waiting while requests in flight take up the room it needs.

        Returns:
            False if a limit is reached, so that the try must not be sent.
        """
        while not self.try_admit(request):
            if self.reached:
                return False
            freed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(freed)
            await freed
        return True

    def try_admit(self, request: Request) -> bool:
        """Reserve room for a try if there is room now.

        Returns:
            Whether the try may be sent. Once `reached` names a limit, always False.
        """
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
        """Reserve room for a request that an earlier run sent and that has no result yet."""
        self._reserve(request, self._worst(request))

    def settle(self, request: Request, result: Answer | Failure) -> Answer | Failure:
        """Replace a try's reservation by its actual cost, and return the result; an answer is returned with its price.

        A failed try that the server may have worked on (a time-out, for example) may have been billed, so it stays
        counted at its worst-case cost for the rest of this run.
        """
        reserved = self.release(request)
        if isinstance(result, Failure):
            if not result.reason.startswith(_NOT_BILLED) or result.reason in _TIMED_OUT:
                self._lost += reserved
            return result
        answer = replace(result, nanodollars=self.price_of(request, result)) if self._price(request) else result
        cost = reserved if answer.nanodollars is None else answer.nanodollars
        self._answered += 1
        self._cost += cost
        self._own_cost += cost
        return answer

    def release(self, request: Request) -> int:
        """Release a request's reservation, and return its amount in nanodollars."""
        reserved = self._reserved.pop(request.key, 0)
        self._held -= reserved
        self._wake()
        return reserved

    def price_of(self, request: Request, answer: Answer) -> int | None:
        """Return the cost of an answer in nanodollars; None if its token counts or the price are unknown.

        Requests that were filtered or invalid cost nothing unless the server reports tokens.
        """
        price = self._price(request)
        if price is None:
            return None
        if answer.prompt_tokens is None or answer.completion_tokens is None:
            return None if answer.outcome is Outcome.ANSWERED else 0
        cached = min(answer.cached_tokens or 0, answer.prompt_tokens)
        return price.cost(answer.prompt_tokens, cached, answer.completion_tokens)

    def error(self, remaining: int) -> BudgetReached:
        """Make the error for the limit that was reached.

        Args:
            remaining: Number of requests without an answer.
        """
        limit = {"max_requests": self._limits.requests, "max_cost_usd": (self._limits.nanodollars or 0) / NANO}[
            self.reached or ""
        ]
        spent = (
            f"; {dollars(self._cost / NANO)} spent, {dollars(self._own_cost / NANO)} of it in this run"
            if self._tariff.price
            else ""
        )
        lost = f", and {dollars(self._lost / NANO)} counted for tries that got no answer" if self._lost else ""
        return BudgetReached(
            f"augft.{self.reached} ({limit:,}) leaves no room for another request{spent}{lost}; {self._answered:,} "
            f"answers are stored, {remaining:,} requests remain: raise augft.{self.reached} and run again to continue"
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
        """Return the key of the limit that one more request of this cost would exceed, None if there is none."""
        most, limit = self._limits.requests, self._limits.nanodollars
        if most is not None and self._answered + len(self._reserved) + 1 > most:
            return "max_requests"
        if limit is not None and self._cost + self._lost + self._held + cost > limit:
            return "max_cost_usd"
        return None

    def _price(self, request: Request) -> Price | None:
        return self._others.get(request.teacher_id, self._tariff).price

    def _worst(self, request: Request) -> int:
        tariff = self._others.get(request.teacher_id, self._tariff)
        if tariff.price is None or self._limits.nanodollars is None:
            return 0
        extra = dict(request.extra_body)
        longest = max(
            request.sampling.max_tokens, *(_number(extra.get(k)) for k in ("max_tokens", "max_completion_tokens"))
        )
        return tariff.price.cost(tariff.worst_tokens(request), 0, longest * max(1, _number(extra.get("n"))))


def recipe_budget(
    config: AugftConfig, teacher: Teacher, verifier: Teacher | None = None, student: Teacher | None = None
) -> Budget:
    """Make the budget of a recipe; the caller must `count` its stored answers.

    Args:
        config: The `augft:` block, which sets the limits.
        teacher: The teacher model.
        verifier: The model that verifies, if one does; it may be the teacher.
        student: The student, if it is probed; it may be the teacher.

    Raises:
        ConfigError: `max_cost_usd` is set, but the price of a model is unknown.
    """
    limit = None if config.max_cost_usd is None else round(config.max_cost_usd * NANO)
    tariff = _tariff(teacher, "augft.teacher", config.max_cost_usd is not None)
    budget = Budget(Limits(limit, config.max_requests), tariff.price, tariff.worst_tokens)
    for model, block in ((verifier, "augft.verify.by"), (student, "augft.probe.student")):
        if model is not None and model.id != teacher.id:
            is_paid = config.max_cost_usd is not None and model.backend == "endpoint"
            budget.add_model(model.id, _tariff(model, block, is_paid))
    return budget


def _tariff(model: Teacher, block: str, must_be_known: bool) -> Tariff:
    price = find_price(model.config, model.model)
    if price is None and must_be_known:
        raise ConfigError(f"augft.max_cost_usd is set, but {missing_price_message(model.config, model.model, block)}")
    return Tariff(price, worst_tokens(model))


def worst_tokens(teacher: Teacher) -> Callable[[Request], int]:
    """Make a function that returns an upper bound of a request's prompt tokens.

    It uses the teacher's tokenizer if that is available, and one token per byte otherwise.
    """
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
