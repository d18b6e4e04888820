"""A suite's result -> the cost of augmented fine-tuning, and after how many questions it is cheaper than ICL.

Augmentation and training are paid once; in-context learning (ICL) pays for its documents with every question. The
tokens of the question itself cost the same either way and are left out, as are discounts for cached prefixes.

With prices, the unit is dollars. Without prices, it is the forward pass of one token through the student: a trained
token costs 3, because the backward pass costs about twice the forward pass (Kaplan et al. 2020, arXiv 2001.08361,
section 2.1; somewhat less for an adapter), and a token that the teacher reads or writes costs 1, as if the teacher were
of the student's size.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from statistics import fmean
from typing import Literal

from axolotl_augft.bench.report.estimates import Variant, variants
from axolotl_augft.bench.report.results import CellResult, Condition, Splitting, SuiteResult
from axolotl_augft.errors import BenchError
from axolotl_augft.report.break_even import FORWARD_TOKENS_PER_TRAINED_TOKEN

Unit = Literal["dollars", "forward tokens"]
ASSUMPTION = (
    "Costs without prices are in forward tokens: a trained token counts 3 (backward costs about twice forward: Kaplan "
    "et al. 2020, arXiv 2001.08361), a teacher token 1, as if the teacher were of the student's size; cached prefixes "
    "get no discount."
)
_MILLION = 1e6
_HOUR = 3600


@dataclass(frozen=True)
class Prices:
    """A suite's `prices`, in dollars.

    Attributes:
        input: Per million tokens that the teacher reads.
        output: Per million tokens that the teacher writes.
        icl_input: Per million tokens that the serving model reads.
        gpu_hour: Per hour of the training machine.
    """

    input: float
    output: float
    icl_input: float
    gpu_hour: float

    @classmethod
    def of(cls, prices: Mapping[str, float]) -> "Prices | None":
        """Check a suite's prices; None if the suite has none.

        Raises:
            BenchError: A price is missing, unknown, negative or not finite.
        """
        if not prices:
            return None
        names = [f.name for f in fields(cls)]
        for name in sorted({*names} ^ {*prices}):
            what = "is missing" if name in names else "is unknown"
            raise BenchError(f"prices: {name} {what}; give all of {', '.join(names)}, or no prices")
        for name, price in prices.items():
            if not (math.isfinite(price) and price >= 0):
                raise BenchError(f"prices.{name} must be an amount of dollars >= 0, got {price}")
        return cls(**prices)


@dataclass(frozen=True)
class Cost:
    """The cost of one variant of augmented fine-tuning, as a mean over its seeds.

    Attributes:
        unit: Unit of `once` and `icl_question`.
        teacher_tokens: Tokens that the teacher read and wrote.
        teacher_dollars: None if the suite has no prices.
        training_dollars: None if the suite has no prices.
        once: Augmentation plus training, in `unit`; None if a count that it needs is unknown.
        icl_tokens: Tokens that ICL's documents add to each question; None if ICL was not run.
        icl_question: The same in `unit`.
    """

    condition: Condition
    splitting: Splitting
    unit: Unit
    teacher_tokens: float | None
    teacher_hours: float | None
    training_hours: float | None
    teacher_dollars: float | None
    training_dollars: float | None
    once: float | None
    icl_tokens: float | None
    icl_question: float | None

    @property
    def break_even_questions(self) -> int | None:
        """Number of questions from which on it costs no more than ICL.

        None if either cost is unknown or ICL costs nothing.
        """
        if self.once is None or not self.icl_question:
            return None
        # Round before taking the ceiling: 3000.0000000000005 questions are 3000, not 3001.
        return math.ceil(round(self.once / self.icl_question, 6))


def costs(result: SuiteResult) -> list[Cost]:
    """Compute the cost of every variant of augmented fine-tuning that finished.

    Raises:
        BenchError: The suite's prices are invalid, or a finished cell holds no scores.
    """
    prices = Prices.of(result.prices)
    icl_tokens = _mean([cell.context_tokens for cell in result.of("icl")])
    return [_cost(v, prices, icl_tokens) for v in variants(result) if v.condition.startswith("aug-")]


def break_even_questions(result: SuiteResult, condition: Condition, splitting: Splitting = "none") -> int | None:
    """Return `Cost.break_even_questions` of one variant; None also if that variant was not run.

    Raises:
        BenchError: As `costs`.
    """
    return next(
        (c.break_even_questions for c in costs(result) if (c.condition, c.splitting) == (condition, splitting)), None
    )


def _cost(variant: Variant, prices: Prices | None, icl_tokens: float | None) -> Cost:
    cells = variant.cells
    read = _mean([c.teacher.prompt_tokens if c.teacher else None for c in cells])
    written = _mean([c.teacher.completion_tokens if c.teacher else None for c in cells])
    training_hours = _hours([c.training.seconds if c.training else None for c in cells])
    teacher_dollars = training_dollars = None
    if prices is None:
        teacher = _sum(read, written)
        training = _times(_mean([_trained_tokens(c) for c in cells]), FORWARD_TOKENS_PER_TRAINED_TOKEN)
    else:
        teacher = teacher_dollars = _sum(
            _times(read, prices.input / _MILLION), _times(written, prices.output / _MILLION)
        )
        training = training_dollars = _times(training_hours, prices.gpu_hour)
    return Cost(
        condition=variant.condition,
        splitting=variant.splitting,
        unit="dollars" if prices else "forward tokens",
        teacher_tokens=_sum(read, written),
        teacher_hours=_hours([c.teacher.seconds if c.teacher else None for c in cells]),
        training_hours=training_hours,
        teacher_dollars=teacher_dollars,
        training_dollars=training_dollars,
        once=_sum(teacher, training),
        icl_tokens=icl_tokens,
        icl_question=_times(icl_tokens, prices.icl_input / _MILLION if prices else 1),
    )


def _trained_tokens(cell: CellResult) -> int | None:
    return cell.training.tokens if cell.training else None


def _mean(values: list[int | None] | list[float | None]) -> float | None:
    """Mean of the values; None if there are none or one is unknown."""
    known = [v for v in values if v is not None]
    return fmean(known) if known and len(known) == len(values) else None


def _hours(seconds: list[float | None]) -> float | None:
    return _times(_mean(seconds), 1 / _HOUR)


def _sum(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a + b


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
