"""The teacher's settings -> what its tokens cost. A price that is not known is None, never 0.

List prices come from the package `genai-prices`, which carries its data with it: nothing is fetched when a recipe runs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from axolotl_augft.teacher_config import TeacherConfig, TeacherPrice

NANO = 10**9
_PER_MILLION = NANO // 10**6


@dataclass(frozen=True)
class Price:
    """What tokens cost, and where that is known from.

    `cost` takes prompt tokens, those of them that came from a cache, and answer tokens of one request, and gives nanodollars
    (10^-9 dollars: sums of whole numbers do not depend on their order).
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
        f"no price is known for {model} at {where}; set augft.teacher.price to dollars per million tokens, e.g. {{input: 0.1, output: 0.4}}"
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
    if probe.model_price.input_mtok is None or probe.model_price.output_mtok is None:
        return None
    return Price(
        lambda prompt, cached, answer: round(calculated(prompt, cached, answer).total_price * NANO),
        f"list price of {probe.model.id} at {probe.provider.name}" + (" through its Batch API" if batch else ""),
    )
