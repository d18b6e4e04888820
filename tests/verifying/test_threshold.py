"""Probabilities in, a threshold with its estimated precision out."""

import numpy as np
import pytest

from axolotl_augft.verifying.threshold import area_under_curve, calibrate

FEW = [0.1] * 19


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
        "local", spread(0, 0.2, 40) + [0.95] * 60, [[p] for p in spread(0, 0.2, 200)], [0.95] * 50, precision=0.99
    )
    assert (found.threshold, found.kept, found.because) == (0.95, 60, "")
    assert found.precision == pytest.approx(1 - 40 * 2 / 201 / 60) and found.given_up == pytest.approx(0, abs=0.01)
    assert found.false == 40 and found.auc == 1.0


# Half are false and spread over all of (0, 1); the true ones lie above 0.5, where half as many slips pass.
MIXED = spread(0, 1, 500) + spread(0.5, 1, 500)
EASY = [[p] for p in spread(0, 1, 200) + spread(0, 0.5, 200)]


def test_precision_is_bought_with_true_statements():
    strict = calibrate("local", MIXED, EASY, spread(0.5, 1, 100), precision=0.75)
    loose = calibrate("local", MIXED, EASY, spread(0.5, 1, 100), precision=0.70)
    assert strict.threshold > loose.threshold and strict.kept < loose.kept
    assert strict.precision >= 0.75 > loose.precision >= 0.70
    # A third of the false ones lie below the median of the slips, and are taken for half of them.
    assert strict.false == pytest.approx(500 / 3 * 2, rel=0.01)


def test_the_most_believable_slip_of_a_sentence_counts():
    statements, sentences = spread(0, 0.2, 40) + [0.95] * 60, [0.95] * 50
    low = [[p] for p in spread(0, 0.2, 100)]
    seen_through = calibrate("local", statements, low, sentences, precision=0.95)
    believed = calibrate("local", statements, [*low, *([0.1, p] for p in spread(0.9, 1, 50))], sentences, 0.95)
    assert seen_through.precision > 0.95 > 0.9 > believed.precision


def test_a_precision_out_of_reach_takes_the_best_there_is():
    found = calibrate("local", MIXED, EASY, spread(0.5, 1, 100), precision=0.99)
    # Above 0.5 there are 1,500 statements a unit of probability, of which 333 are taken to be false.
    assert found.precision == pytest.approx(1 - 1 / 4.5, abs=0.03) and found.because == ""


def test_a_fixed_threshold_is_estimated_only():
    found = calibrate(
        "local", spread(0, 0.2, 40) + [0.95] * 60, [[p] for p in spread(0, 0.2, 200)], [0.95] * 50, 0.95, threshold=0.5
    )
    assert (found.threshold, found.kept) == (0.5, 60) and found.precision == pytest.approx(1 - 40 * 2 / 201 / 60)


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
