"""Finished cells -> the variants of each condition, and their accuracy with its standard error."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, variance

from axolotl_augft.bench.report.results import CONDITIONS, CellResult, Condition, Score, Splitting, SuiteResult
from axolotl_augft.errors import BenchError

_SPLITTINGS: tuple[Splitting, ...] = ("none", "independent", "cumulative")


Measure = Callable[[Score], float | None]
"""How good an answer is, from 0 to 1; None if the question was not asked in that way."""


@dataclass(frozen=True)
class Estimate:
    """An accuracy, or another measure from 0 to 1, averaged over seeds.

    Attributes:
        standard_error: None with fewer than two task subsets to estimate it from.
        seeds: Number of seeds.
    """

    accuracy: float
    standard_error: float | None
    seeds: int


@dataclass(frozen=True)
class Variant:
    """The finished cells of one condition and one kind of sentence splitting, one per seed."""

    condition: Condition
    splitting: Splitting
    cells: tuple[CellResult, ...]

    def estimate(self, split: str | None = None, measure: Measure | None = None) -> Estimate | None:
        """Estimate the accuracy on a split, or on all questions; None if no cell has such a question.

        Args:
            split: The split; None for all questions.
            measure: What to average instead of whether the answer is right.
        """
        of_seeds = [[s for s in cell.scores if split in (None, s.split)] for cell in self.cells]
        if measure is not None:
            of_seeds = [[s for s in scores if measure(s) is not None] for scores in of_seeds]
        scored = [scores for scores in of_seeds if scores]
        return estimate(scored, measure or is_right) if scored else None

    @property
    def accuracy(self) -> float:
        """Accuracy on all questions, averaged over seeds."""
        return fmean(cell.accuracy for cell in self.cells)


def is_right(score: Score) -> float:
    """Measure accuracy."""
    return float(score.right)


def exact(score: Score) -> float | None:
    """Measure whether the student wrote the right answer's words and no others."""
    return None if score.written is None else float(score.written.exact)


def f1(score: Score) -> float | None:
    """Measure the overlap of words of the student's own answer and the right one."""
    return None if score.written is None else score.written.f1


def contains(score: Score) -> float | None:
    """Measure whether the right answer stands in what the student wrote."""
    return None if score.written is None else float(score.written.contains)


def estimate(seeds: Sequence[Sequence[Score]], measure: Measure = is_right) -> Estimate:
    """Average the seeds' accuracies, with a standard error over task subsets and seeds.

    The questions of a subset are correlated and are the same for every seed. The variance over subsets is therefore
    clustered by subset, with the seeds pooled: n / (n - 1) times the sum over the n subsets of (the subset's summed
    deviations from the mean) squared, where all deviations are weighted to add up to 1. For one seed and subsets of
    equal size, this is the variance of the subsets' accuracies divided by n. With several seeds, the variance of the
    seeds' accuracies divided by their number is added. The standard error is the square root of the sum. Variation that
    is specific to one subset and one seed enters both terms, so the error bar errs on the long side. A question without
    a subset is a subset of its own.

    Args:
        seeds: Scores of each seed; at least one seed.
        measure: What to average instead of whether the answer is right.
    """
    means = [fmean(measure(s) or 0.0 for s in scores) for scores in seeds]
    accuracy = fmean(means)
    over_subsets = _subset_variance(seeds, accuracy, measure)
    over_seeds = variance(means) / len(means) if len(means) > 1 else 0.0
    return Estimate(accuracy, None if over_subsets is None else (over_subsets + over_seeds) ** 0.5, len(seeds))


def _subset_variance(seeds: Sequence[Sequence[Score]], accuracy: float, measure: Measure) -> float | None:
    deviations: defaultdict[tuple[str, str], float] = defaultdict(float)
    for scores in seeds:
        weight = 1 / (len(seeds) * len(scores))
        for s in scores:
            deviations[s.subset, "" if s.subset else s.question] += weight * ((measure(s) or 0.0) - accuracy)
    n = len(deviations)
    return n / (n - 1) * sum(d * d for d in deviations.values()) if n > 1 else None


def variants(result: SuiteResult) -> list[Variant]:
    """Collect the finished cells by variant, in the order of the conditions, then of the kinds of splitting.

    Raises:
        BenchError: A finished cell holds no scores.
    """
    cells: defaultdict[tuple[Condition, Splitting], list[CellResult]] = defaultdict(list)
    for cell in result.cells:
        if cell.status == "done":
            if not cell.scores:
                raise BenchError(
                    f"suite {result.suite}: the finished cell {cell.condition}, seed {cell.seed}, splitting "
                    f"{cell.splitting} holds no scores; run the suite again"
                )
            cells[cell.condition, cell.splitting].append(cell)
    return [Variant(c, s, tuple(cells[c, s])) for c in CONDITIONS for s in _SPLITTINGS if (c, s) in cells]


def baseline(found: Sequence[Variant]) -> Variant | None:
    """Pick the `ft` variant with the highest accuracy on all questions; None if `ft` was not run.

    The choice is made on the test questions themselves, which favours the baseline (paper, sentence splitting).
    """
    return max((v for v in found if v.condition == "ft"), key=lambda v: v.accuracy, default=None)


def label(variant: Variant, found: Sequence[Variant]) -> str:
    """Name a variant: its condition, plus its kind of splitting if the condition has several variants."""
    several = sum(v.condition == variant.condition for v in found) > 1
    return f"{variant.condition}, {variant.splitting}" if several else variant.condition


def splits(result: SuiteResult) -> list[str]:
    """List the splits in the order of the questions."""
    return list(dict.fromkeys(s.split for cell in result.cells for s in cell.scores))


def chance(result: SuiteResult, split: str | None = None) -> float:
    """Return the accuracy of random guessing, on all questions or on a split that was scored."""
    if split is None:
        return result.chance
    choices = {s.question: len(s.loglikelihoods) for cell in result.cells for s in cell.scores if s.split == split}
    return fmean(1 / n if n else 0.0 for n in choices.values())
