"""Cells -> what tables and figures show of them: variants of a condition, and their accuracy with its standard error."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, variance

from axolotl_augft.bench.report.results import CONDITIONS, CellResult, Condition, Score, Splitting, SuiteResult
from axolotl_augft.errors import BenchError

_SPLITTINGS: tuple[Splitting, ...] = ("none", "independent", "cumulative")


@dataclass(frozen=True)
class Estimate:
    """An accuracy over seeds.

    `standard_error` is None where there are fewer than two task subsets to estimate it from.
    """

    accuracy: float
    standard_error: float | None
    seeds: int


@dataclass(frozen=True)
class Variant:
    """The finished cells of one condition and one way of splitting, a seed each."""

    condition: Condition
    splitting: Splitting
    cells: tuple[CellResult, ...]

    def estimate(self, split: str | None = None) -> Estimate | None:
        """The accuracy on a split's questions, or on all; None where no cell has such a question."""
        of_seeds = [[s for s in cell.scores if split in (None, s.split)] for cell in self.cells]
        scored = [scores for scores in of_seeds if scores]
        return estimate(scored) if scored else None

    @property
    def accuracy(self) -> float:
        """On all questions, the mean over seeds."""
        return fmean(cell.accuracy for cell in self.cells)


def estimate(seeds: Sequence[Sequence[Score]]) -> Estimate:
    """The mean of the seeds' accuracies, and its standard error over task subsets and seeds.

    The questions of a subset stand or fall together, and they are the same for every seed. So the variance over subsets
    is clustered by subset with the seeds pooled: n / (n - 1) times the sum over the n subsets of (the subset's summed
    deviations from the mean) squared, each deviation weighted so that all weights add up to 1. For one seed and subsets
    of equal size this is the variance of the subsets' accuracies divided by n. With several seeds the variance of the
    seeds' accuracies divided by their number is added, and the standard error is the root of the sum. What differs by
    subset and seed at once is counted in both terms, so that the error bar is rather too long than too short. A
    question without a subset is a subset of its own.

    Args:
        seeds: For each seed its scores, at least one.
    """
    means = [fmean(s.right for s in scores) for scores in seeds]
    accuracy = fmean(means)
    over_subsets = _subset_variance(seeds, accuracy)
    over_seeds = variance(means) / len(means) if len(means) > 1 else 0.0
    return Estimate(accuracy, None if over_subsets is None else (over_subsets + over_seeds) ** 0.5, len(seeds))


def _subset_variance(seeds: Sequence[Sequence[Score]], accuracy: float) -> float | None:
    deviations: defaultdict[tuple[str, str], float] = defaultdict(float)
    for scores in seeds:
        weight = 1 / (len(seeds) * len(scores))
        for s in scores:
            deviations[s.subset, "" if s.subset else s.question] += weight * (s.right - accuracy)
    n = len(deviations)
    return n / (n - 1) * sum(d * d for d in deviations.values()) if n > 1 else None


def variants(result: SuiteResult) -> list[Variant]:
    """What was run and finished, in the order of the conditions, then of the ways of splitting.

    Raises:
        BenchError: A finished cell holds no scores.
    """
    cells: defaultdict[tuple[Condition, Splitting], list[CellResult]] = defaultdict(list)
    for cell in result.cells:
        if cell.status == "done":
            if not cell.scores:
                raise BenchError(
                    f"suite {result.suite}: the finished cell {cell.condition}, seed {cell.seed}, splitting "
                    f"{cell.splitting} holds no "
                    "scores; run the suite again"
                )
            cells[cell.condition, cell.splitting].append(cell)
    return [Variant(c, s, tuple(cells[c, s])) for c in CONDITIONS for s in _SPLITTINGS if (c, s) in cells]


def baseline(found: Sequence[Variant]) -> Variant | None:
    """The better of the ways of splitting that plain fine-tuning was run with, by accuracy on all questions; None without `ft`.

    Chosen on the test questions themselves, which favours the baseline (paper, sentence splitting).
    """
    return max((v for v in found if v.condition == "ft"), key=lambda v: v.accuracy, default=None)


def label(variant: Variant, found: Sequence[Variant]) -> str:
    """The condition, with the way of splitting where there are several of it."""
    several = sum(v.condition == variant.condition for v in found) > 1
    return f"{variant.condition}, {variant.splitting}" if several else variant.condition


def splits(result: SuiteResult) -> list[str]:
    """The splits of the questions, in the order of the questions."""
    return list(dict.fromkeys(s.split for cell in result.cells for s in cell.scores))


def chance(result: SuiteResult, split: str | None = None) -> float:
    """Accuracy of a guess, on all questions or on those of a split that was scored."""
    if split is None:
        return result.chance
    choices = {s.question: len(s.loglikelihoods) for cell in result.cells for s in cell.scores if s.split == split}
    return fmean(1 / n for n in choices.values())
