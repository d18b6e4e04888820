"""Variants of a suite -> how much each differs from its control on the same questions, with a standard error.

The control of an augmented condition is `ft-form`, which has the same form rows, or `ft` where that was not run; the
control of `ft-form` is `ft`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean, variance

from axolotl_augft.bench.report.estimates import Estimate, Measure, Variant, baseline, estimate, f1, is_right, label
from axolotl_augft.bench.report.results import CellResult, Score


def control(variant: Variant, found: Sequence[Variant]) -> Variant | None:
    """Pick the variant that differs in nothing but what is to be shown; None if there is none."""
    if variant.condition in ("pretrained", "icl", "ft"):
        return None
    form = next((v for v in found if v.condition == "ft-form"), None)
    return form if form is not None and variant is not form else baseline(found)


def difference(variant: Variant, control: Variant, measure: Measure, split: str | None = None) -> Estimate | None:
    """Estimate by how much a variant is better than its control; None if they share no question.

    What a seed says about a question is compared with the mean of the control's seeds on that question, so that the
    difficulty of the questions cancels out. The error is that of `estimate`, with the variance of the control's seeds
    added. `seeds` is the smaller of the two numbers of seeds.
    """
    by_seed = [_values(cell, measure, split) for cell in control.cells]
    expected = _means(by_seed)
    compared = [
        [s for s in cell.scores if split in (None, s.split) and s.question in expected and measure(s) is not None]
        for cell in variant.cells
    ]
    compared = [scores for scores in compared if scores]
    if not compared:
        return None

    def gain(score: Score) -> float:
        return (measure(score) or 0.0) - expected[score.question]

    own = estimate(compared, gain)
    seeds = min(len(compared), len(by_seed))
    if own.standard_error is None:
        return Estimate(own.accuracy, None, seeds)
    means = [fmean(values.values()) for values in by_seed if values]
    of_control = variance(means) / len(means) if len(means) > 1 else 0.0
    return Estimate(own.accuracy, (own.standard_error**2 + of_control) ** 0.5, seeds)


def difference_rows(found: Sequence[Variant], splits: Sequence[str]) -> list[list[str]]:
    """Lay out a table of all differences, its head first; empty if no variant has a control.

    Args:
        found: The variants of a suite.
        splits: The splits of its questions; a single one gets no column of its own.
    """
    shown: list[str | None] = [None, *(splits if len(splits) > 1 else ())]
    rows = []
    for variant in found:
        if (beside := control(variant, found)) is None:
            continue
        for title, measure in (("accuracy", is_right), ("F1", f1)):
            gains = [difference(variant, beside, measure, split) for split in shown]
            if any(gains):
                name = f"{label(variant, found)} − {label(beside, found)}"
                rows.append([name, title, *(_signed(gain) if gain else "–" for gain in gains)])
    return [["difference", "measure", "all", *map(str, shown[1:])], *rows] if rows else []


def _signed(gain: Estimate) -> str:
    error = "" if gain.standard_error is None else f" ± {gain.standard_error:.3f}"
    return f"{gain.accuracy:+.3f}{error}".replace("-", "−")


def _values(cell: CellResult, measure: Measure, split: str | None) -> dict[str, float]:
    values = {s.question: measure(s) for s in cell.scores if split in (None, s.split)}
    return {question: value for question, value in values.items() if value is not None}


def _means(seeds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    values: defaultdict[str, list[float]] = defaultdict(list)
    for seed in seeds:
        for question, value in seed.items():
            values[question].append(value)
    return {question: fmean(all_of_them) for question, all_of_them in values.items()}
