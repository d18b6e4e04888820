"""The teacher's settings -> what its tokens cost. A price that is not known is None, never 0.

List prices come from the package `genai-prices`, which carries its data with it: nothing is fetched when a recipe runs.
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
    """What tokens cost, and where that is known from.

    `cost` takes prompt tokens, those of them that came from a cache, and answer tokens of one request, and gives
    nanodollars (10^-9 dollars: sums of whole numbers do not depend on their order).
    """

    cost: Callable[[int, int, int], int]
    source: str


def find_price(config: TeacherConfig, model: str) -> Price | None:
    """The price that the recipe names, else the list price of the provider that `base_url` belongs to, else None.

    A managed server has no price but one that the recipe names.
    """
    if config.price is not None:
        return Price(_named(config.price), "augft.teacher.price")
    return _listed(config.base_url, model, config.batch) if config.base_url else None


def no_price(config: TeacherConfig, model: str) -> str:
    """Why there is no price, and what to do."""
    where = urlsplit(config.base_url).netloc if config.base_url else "a server on this machine"
    return (
        f"no price is known for {model} at {where}; set augft.teacher.price to dollars per million tokens, e.g. "
        f"{{input: 0.1, output: 0.4}}"
    )


def _named(price: TeacherPrice) -> Callable[[int, int, int], int]:
    cached_input = price.input if price.cached_input is None else price.cached_input

    def cost(prompt: int, cached: int, answer: int) -> int:
        dollars_per_million = (prompt - cached) * price.input + cached * cached_input + answer * price.output
        return round(dollars_per_million * _PER_MILLION)

    return cost


def _listed(base_url: str, model: str, batch: bool) -> Price | None:
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
            " through its Batch API"
            if own != usual
            else ", without a discount for batches, which the list does not have"
        )
    flat = _flat(own) if not isinstance(probe.model.prices, list) else None
    return Price(flat or (lambda *tokens: round(calculated(*tokens).total_price * NANO)), source)


def _flat(price: Any) -> Callable[[int, int, int], int] | None:
    """The cost by prices that depend on no size, so that it need not be looked up for every request; None if they do."""
    rates = (price.input_mtok, price.cache_read_mtok, price.output_mtok)
    if not all(isinstance(rate, Decimal | None) for rate in rates):
        return None
    cached = None if rates[1] is None else float(rates[1])
    return _named(TeacherPrice(input=float(rates[0]), cached_input=cached, output=float(rates[2])))
