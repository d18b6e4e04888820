"""Probabilities of statements, planted slips and true sentences -> a threshold, and the precision it should have.

The planted slips play the part that decoys play in the search of mass spectra (target-decoy): q(t), the share of slips
that reach a threshold t, estimates the share of false statements that do. How many statements are false in all is
estimated from those below the median of the slips, which are taken to be half of them (Storey's estimate of the null
proportion). Of n statements of which F are false, about F q(t) false ones are kept.

Both are shares found in samples, which are small where the data is: of 45 slips none may pass by luck, though 6 % would
of many. So each is taken at the upper end of its confidence interval (Clopper and Pearson). And a teacher's own slips
are harder to see than planted ones: q(t) is that of the most believable slip of each sentence, and false statements are
taken to pass twice as often.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from axolotl_augft.verifying.records import Calibration

Probabilities = npt.NDArray[np.float64]

_FEWEST = 20
_CHANCE = 0.6
"""Area under the curve below which a verifier is no better than chance on so few slips."""
_DEFAULT = 0.5
_HARDER = 2.0
"""How much more often false statements pass than slips: measured on labelled statements (docs/judging.md)."""
_CONFIDENCE = 0.95
"""How sure it is that a share is no higher than its bound."""
_ALIKE = 0.02
"""Estimated precisions that differ by less are no different; of such thresholds, the lowest gives up the least."""


def calibrate(
    strategy: str,
    statements: Sequence[float],
    slips: Sequence[Sequence[float]],
    sentences: Sequence[float],
    precision: float,
    threshold: float | None = None,
) -> Calibration:
    """Find the lowest threshold whose estimated precision is high enough.

    If no threshold reaches it, the lowest one is taken whose estimated precision is about as high as the highest. If
    nothing can be claimed, it is 0.5.

    Args:
        strategy: The strategy that the statements come from.
        statements: Probabilities of the statements.
        slips: Probabilities of the planted slips of each sentence.
        sentences: Probabilities of true sentences of the sources.
        precision: Share of the kept statements that should be true.
        threshold: The threshold, if it is fixed; then only its precision is estimated.
    """
    known = np.sort(np.asarray(statements, dtype=np.float64))
    planted = np.array([p for own in slips for p in own])
    believable = np.sort(np.array([max(own) for own in slips]))
    auc = area_under_curve(np.asarray(sentences, dtype=np.float64), planted)
    because = _reason_to_claim_nothing(len(known), len(planted), len(sentences), auc)
    if because:
        chosen = _DEFAULT if threshold is None else threshold
        kept = int(np.sum(known >= chosen))
        return Calibration(
            strategy, chosen, len(known), kept, None, None, None, len(planted), len(sentences), auc, because
        )
    false = _number_of_false(known, planted)
    candidates = np.unique(known) if threshold is None else np.array([threshold])
    kept_at = len(known) - np.searchsorted(known, candidates, side="left")
    passing = false * np.minimum(1, _HARDER * _pass_rate(believable, candidates))
    estimated = 1 - np.minimum(1, passing / np.maximum(kept_at, 1))
    highest = estimated.max()
    best = int(np.flatnonzero(estimated >= (precision if highest >= precision else highest - _ALIKE))[0])
    kept = int(kept_at[best])
    share = float(estimated[best])
    true = len(known) - false
    given_up = max(0.0, 1 - kept * share / true) if true > 0 else None
    return Calibration(
        strategy, float(candidates[best]), len(known), kept, float(false), share, given_up,
        len(planted), len(sentences), auc, asked=precision if threshold is None else None,
    )  # fmt: skip


def area_under_curve(higher: Probabilities, lower: Probabilities) -> float | None:
    """Return the probability that a value of the first kind is higher than one of the second; ties count half."""
    if not len(higher) or not len(lower):
        return None
    ordered = np.sort(lower)
    below, up_to = np.searchsorted(ordered, higher, side="left"), np.searchsorted(ordered, higher, side="right")
    return float(np.mean((below + up_to) / 2) / len(lower))


def _reason_to_claim_nothing(statements: int, slips: int, sentences: int, auc: float | None) -> str:
    for number, what in ((statements, "statements"), (slips, "planted slips"), (sentences, "true sentences")):
        if number < _FEWEST:
            return f"only {number} {what}, at least {_FEWEST} are needed"
    if auc is not None and auc < _CHANCE:
        return f"this verifier cannot tell true sentences from planted slips: AUC {auc:.2f}"
    return ""


def _number_of_false(statements: Probabilities, slips: Probabilities) -> float:
    """Estimate how many statements are false at most: twice those that are no more probable than half of the slips."""
    median = float(np.median(slips))
    share = float(np.mean(slips <= median))
    low = _at_most(np.array([np.sum(statements <= median)]), len(statements))[0]
    return len(statements) * min(1.0, float(low) / share)


def _pass_rate(slips: Probabilities, thresholds: Probabilities) -> Probabilities:
    """Return the share of slips that reach each threshold, at most."""
    return _at_most(len(slips) - np.searchsorted(slips, thresholds, side="left"), len(slips))


def _at_most(found: npt.NDArray[np.int64], of: int) -> Probabilities:
    """Return the upper bounds of shares that were found in a sample: each number `found`, of so many in all."""
    bounds: Probabilities = np.where(found < of, betaincinv(found + 1, np.maximum(of - found, 1), _CONFIDENCE), 1.0)
    return bounds
