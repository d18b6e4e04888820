"""The teacher's settings -> the price of its tokens. An unknown price is None, never 0.

List prices come from the package `genai-prices`, which contains its data: nothing is fetched when a recipe runs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from axolotl_augft.config.teacher import TeacherConfig, TeacherPrice

NANO = 10**9
_PER_MILLION = NANO // 10**6


@dataclass(frozen=True)
class Price:
    """The price of a teacher's tokens.

    Attributes:
        cost: Maps the prompt tokens of one request, those of them read from a cache, and the answer tokens to
            nanodollars: 10^-9 dollars, whole numbers, so that sums do not depend on the order.
        source: Where the price comes from, in words.
    """

    cost: Callable[[int, int, int], int]
    source: str


def find_price(config: TeacherConfig, model: str) -> Price | None:
    """Return the price in the recipe, else the list price of the provider at `base_url`, else None.

    A managed server has a price only if the recipe names one.
    """
    if config.price is not None:
        return Price(_cost_at(config.price), "augft.teacher.price")
    return _list_price(config.base_urls[0], model, config.batch) if config.base_urls else None


def missing_price_message(config: TeacherConfig, model: str, block: str = "augft.teacher") -> str:
    """Say that no price is known, and what to do; `block` is where the model is configured."""
    where = urlsplit(config.base_urls[0]).netloc if config.base_urls else "a server on this machine"
    return (
        f"no price is known for {model} at {where}; set {block}.price to dollars per million tokens, e.g. "
        f"{{input: 0.1, output: 0.4}}"
    )


def _cost_at(price: TeacherPrice) -> Callable[[int, int, int], int]:
    cached_input = price.input if price.cached_input is None else price.cached_input

    def cost(prompt: int, cached: int, answer: int) -> int:
        dollars_per_million = (prompt - cached) * price.input + cached * cached_input + answer * price.output
        return round(dollars_per_million * _PER_MILLION)

    return cost


def _list_price(base_url: str, model: str, batch: bool) -> Price | None:
    from genai_prices import Usage, calc_price

    context = {"processing": "batch"} if batch else None

    def calculated(prompt: int, cached: int, answer: int) -> Any:
        usage = Usage(input_tokens=prompt, cache_read_tokens=cached, output_tokens=answer)
        return calc_price(usage, model, provider_api_url=base_url, price_context=context)

    try:
        probe = calculated(0, 0, 0)
    except LookupError:
        return None
    own = probe.model_price
    if own.input_mtok is None or own.output_mtok is None:
        return None
    source = f"list price of {probe.model.id} at {probe.provider.name}"
    if batch:
        usual = calc_price(Usage(input_tokens=0), model, provider_api_url=base_url).model_price
        source += (
            " through its Batch API" if own != usual else ", without a batch discount, which the list does not state"
        )
    flat = _flat_cost(own) if not isinstance(probe.model.prices, list) else None
    return Price(flat or (lambda *tokens: round(calculated(*tokens).total_price * NANO)), source)


def _flat_cost(price: Any) -> Callable[[int, int, int], int] | None:
    """Return a cost function that avoids a look-up per request; None if prices depend on the size of the prompt."""
    rates = (price.input_mtok, price.cache_read_mtok, price.output_mtok)
    if not all(isinstance(rate, Decimal | None) for rate in rates):
        return None
    cached = None if rates[1] is None else float(rates[1])
    return _cost_at(TeacherPrice(input=float(rates[0]), cached_input=cached, output=float(rates[2])))
