"""Probabilities in, a threshold with its estimated precision out."""

import numpy as np
import pytest

from axolotl_augft.verifying.threshold import area_under_curve, calibrate

FEW = [0.1] * 19
BOUND_OF_NONE = 1 - 0.05 ** (1 / 200)
"""Share of slips that pass at most, with a confidence of 0.95, if none of 200 does."""
FALSE_OF_20 = 0.2772 / 0.5
"""Share of statements that are false at most, if 20 of 100 lie below half of the slips: sum of the binomial
probabilities of 0 to 20 of 100 at 0.2772 is 0.05."""


def spread(low: float, high: float, n: int) -> list[float]:
    return [low + (high - low) * (i + 0.5) / n for i in range(n)]


@pytest.mark.parametrize(
    ("higher", "lower", "area"),
    [
        ([0.9, 0.8], [0.1, 0.2], 1.0),
        ([0.1], [0.9], 0.0),
        ([0.5, 0.5], [0.5], 0.5),
        ([0.9, 0.1], [0.5], 0.5),
        ([], [1], None),
    ],
)
def test_area_under_the_curve(higher, lower, area):
    assert area_under_curve(np.array(higher), np.array(lower)) == area


def test_a_perfect_verifier_keeps_all_that_is_true():
    found = calibrate(
        "local", spread(0, 0.2, 40) + [0.95] * 60, [[p] for p in spread(0, 0.2, 200)], [0.95] * 50, precision=0.97
    )
    assert (found.threshold, found.kept, found.because) == (0.95, 60, "")
    assert found.false == pytest.approx(100 * FALSE_OF_20, abs=0.01) and found.auc == 1.0
    assert found.precision == pytest.approx(1 - 100 * FALSE_OF_20 * 2 * BOUND_OF_NONE / 60, abs=1e-4)
    assert found.given_up == 0


# Half are false and spread over all of (0, 1); the true ones lie above 0.5, where half as many slips pass.
MIXED = spread(0, 1, 500) + spread(0.5, 1, 500)
EASY = [[p] for p in spread(0, 1, 200) + spread(0, 0.5, 200)]


def test_precision_is_bought_with_true_statements():
    strict = calibrate("local", MIXED, EASY, spread(0.5, 1, 100), precision=0.70)
    loose = calibrate("local", MIXED, EASY, spread(0.5, 1, 100), precision=0.65)
    assert strict.threshold > loose.threshold and strict.kept < loose.kept
    assert strict.precision >= 0.70 > loose.precision >= 0.65
    # A third of the false ones, 167 statements, lie below the median of the slips, and are taken for half of them. That
    # 167 of 1,000 do means a share of 0.1866 at most.
    assert strict.false == pytest.approx(1000 * 0.1866 * 2, rel=0.01)


def test_the_most_believable_slip_of_a_sentence_counts():
    statements, sentences = spread(0, 0.2, 40) + [0.95] * 60, [0.95] * 50
    low = [[p] for p in spread(0, 0.2, 200)]
    seen_through = calibrate("local", statements, low, sentences, precision=0.95)
    believed = calibrate("local", statements, [*low, *([0.1, p] for p in spread(0.9, 1, 50))], sentences, 0.95)
    assert seen_through.precision > 0.95 > 0.9 > believed.precision


def test_a_precision_out_of_reach_takes_the_best_there_is():
    found = calibrate("local", MIXED, EASY, spread(0.5, 1, 100), precision=0.99)
    # Above 0.5 there are 750 statements and a quarter of the slips, a share of 0.288 at most.
    best = 1 - 1000 * 0.1866 * 2 * 0.288 * 2 / 750
    assert best - 0.02 <= found.precision <= best and found.because == ""


def test_a_fixed_threshold_is_estimated_only():
    found = calibrate(
        "local", spread(0, 0.2, 40) + [0.95] * 60, [[p] for p in spread(0, 0.2, 200)], [0.95] * 50, 0.95, threshold=0.5
    )
    assert (found.threshold, found.kept) == (0.5, 60)
    assert found.precision == pytest.approx(1 - 100 * FALSE_OF_20 * 2 * BOUND_OF_NONE / 60, abs=1e-4)


def test_fewer_slips_make_less_certain():
    statements, sentences = spread(0, 0.2, 40) + [0.95] * 60, [0.95] * 50
    few, many = (calibrate("local", statements, [[p] for p in spread(0, 0.2, n)], sentences, 0.95) for n in (25, 500))
    assert few.kept == many.kept and few.precision < 0.85 < 0.95 < many.precision


def test_of_thresholds_that_promise_about_the_same_the_lowest_is_taken():
    # One slip in 400 lies between the statements at 0.90 and those at 0.95.
    statements = [0.05] * 40 + [0.90] * 30 + [0.95] * 30
    found = calibrate("local", statements, [[p] for p in [*spread(0, 0.2, 399), 0.92]], [0.95] * 50, precision=0.999)
    assert found.threshold == 0.90 and found.precision < 0.999


@pytest.mark.parametrize(
    ("statements", "slips", "sentences", "because"),
    [
        (FEW, [0.1] * 50, [0.9] * 50, "only 19 statements, at least 20 are needed"),
        ([0.9] * 50, FEW, [0.9] * 50, "only 19 planted slips, at least 20 are needed"),
        ([0.9] * 50, [0.1] * 50, FEW, "only 19 true sentences, at least 20 are needed"),
        ([0.9] * 50, [0.99] * 50, [0.99] * 50, "this verifier cannot tell true sentences from planted slips: AUC 0.50"),
    ],
)
def test_where_nothing_can_be_claimed(statements, slips, sentences, because):
    found = calibrate("local", statements, [[p] for p in slips], sentences, precision=0.95)
    assert (found.threshold, found.precision, found.given_up, found.because) == (0.5, None, None, because)
    assert found.kept == sum(p >= 0.5 for p in statements)
