from dataclasses import replace

import pytest

from axolotl_augft.bench.report.differences import control, difference, difference_rows
from axolotl_augft.bench.report.estimates import f1, is_right, variants
from axolotl_augft.bench.report.tables import table_lines
from axolotl_augft.bench.report.written import compared
from tests.support.bench_results import cell, result


def test_a_difference_by_hand():
    # The control's means by question: a 1, 0 and b 0.5, 0. Seeds of aug-local are better by 0.375 and 0.625, subsets by
    # 0.5 each; the control's seeds are 0.25 and 0.5.
    control_, local = variants(
        result(
            [
                cell("ft-form", {"s/a": "10", "s/b": "00"}),
                cell("ft-form", {"s/a": "10", "s/b": "10"}, seed=1),
                cell("aug-local", {"s/a": "11", "s/b": "10"}),
                cell("aug-local", {"s/a": "11", "s/b": "11"}, seed=1),
            ]
        )
    )
    found = difference(local, control_, is_right)
    assert (found.accuracy, found.seeds) == (0.5, 2)
    assert found.standard_error == pytest.approx((0.25**2 / 4 + 0.25**2 / 4) ** 0.5)


def test_only_questions_that_both_were_asked_count():
    ft, local = variants(result([cell("ft", {"s/a": "0", "s/b": "0"}), cell("aug-local", {"s/a": "1", "t/c": "1"})]))
    assert difference(local, ft, is_right).accuracy == 1
    assert difference(local, ft, is_right, "t") is None
    assert difference(local, ft, f1) is None


@pytest.mark.parametrize(
    ("conditions", "controls"),
    [
        (["pretrained", "icl", "ft", "ft-form", "aug-local"], [None, None, None, "ft", "ft-form"]),
        (["ft", "aug-local", "aug-both"], [None, "ft", "ft"]),
        (["pretrained", "aug-local"], [None, None]),
    ],
)
def test_what_a_condition_is_compared_with(conditions, controls):
    found = variants(result([cell(condition, {"s/a": "1"}) for condition in conditions]))
    besides = [control(variant, found) for variant in found]
    assert [beside and beside.condition for beside in besides] == controls


def test_written_answers_have_a_line_of_their_own_and_a_loss_a_minus_sign():
    def writing(condition, text):
        made = cell(condition, {"s/a": "1", "t/b": "0" if condition == "aug-local" else "1"})
        return replace(made, scores=tuple(replace(s, written=compared(text, "the red barn")) for s in made.scores))

    made = result([writing("ft", "a blue barn"), writing("aug-local", "red barn")])
    assert difference_rows(variants(made), ["s", "t"]) == [
        ["difference", "measure", "all", "s", "t"],
        ["aug-local − ft", "accuracy", "−0.500 ± 0.500", "+0.000", "−1.000"],
        ["aug-local − ft", "F1", "+0.500 ± 0.000", "+0.500", "+0.500"],
    ]
    assert "| aug-local − ft | accuracy | −0.500 ± 0.500 | +0.000 | −1.000 |" in table_lines([made])
    assert "Differences are over the same questions" in table_lines([made])[-1]
    assert "Differences" not in table_lines([result([cell("ft", {"s/a": "1"})])])[-1]
