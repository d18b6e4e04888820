import pytest

from axolotl_augft.bench.report.cost import Prices, break_even_questions, costs
from axolotl_augft.errors import BenchError
from tests.support.bench_results import cell, result

MARKS = {"s/a": "10", "s/b": "11"}
PRICES = {"input": 0.1, "output": 0.4, "icl_input": 0.5, "gpu_hour": 2.0}


def test_without_prices_costs_are_forward_tokens():
    # 30,000 + 5,000 teacher tokens + 3 x 400,000 trained = 1,235,000 once; 844 a question: 1463.27 questions
    (cost,) = costs(result([cell("icl", MARKS), cell("aug-local", MARKS)]))
    assert (cost.unit, cost.teacher_tokens, cost.once, cost.icl_question) == ("forward tokens", 35_000, 1_235_000, 844)
    assert (cost.teacher_dollars, cost.training_dollars) == (None, None)
    assert cost.teacher_hours == pytest.approx(1 / 30) and cost.training_hours == pytest.approx(0.25)
    assert cost.break_even_questions == 1_464


def test_with_prices_costs_are_dollars():
    # teacher 0.03 x 0.1 + 0.005 x 0.4 = 0.005; training 0.25 h x 2 = 0.5; ICL 844 x 0.5e-6 = 0.000422 a question:
    # 1196.7 questions
    (cost,) = costs(result([cell("icl", MARKS), cell("aug-both", MARKS)], PRICES))
    assert cost.unit == "dollars"
    assert (cost.teacher_dollars, cost.training_dollars) == (pytest.approx(0.005), pytest.approx(0.5))
    assert (cost.once, cost.icl_question) == (pytest.approx(0.505), pytest.approx(0.000422))
    assert cost.break_even_questions == 1_197


def test_an_exact_break_even_is_not_rounded_up():
    # 844 x 0.5e-6 dollars x 1,000 questions = 0.422 dollars = 0.005 + 0.417 for 750.6 s at 2 dollars an hour
    found = result([cell("icl", MARKS), cell("aug-both", MARKS, seconds=750.6)], PRICES)
    assert break_even_questions(found, "aug-both") == 1_000


def test_costs_are_means_over_seeds_of_each_variant():
    cells = [
        cell("icl", MARKS),
        cell("aug-local", MARKS, 0, tokens=300_000),
        cell("aug-local", MARKS, 1, tokens=500_000),
    ]
    cells.append(cell("aug-local", MARKS, 0, "cumulative", tokens=100_000))
    assert [(c.splitting, c.once) for c in costs(result(cells))] == [("none", 1_235_000), ("cumulative", 335_000)]
    assert break_even_questions(result(cells), "aug-local", "cumulative") == 397


def test_what_is_unknown_has_no_break_even():
    assert break_even_questions(result([cell("aug-local", MARKS)]), "aug-local") is None
    assert break_even_questions(result([cell("icl", MARKS)]), "aug-local") is None
    assert (
        break_even_questions(result([cell("icl", MARKS), cell("aug-local", MARKS, tokens=None)]), "aug-local") is None
    )
    # With prices the trained tokens are not needed.
    assert (
        break_even_questions(result([cell("icl", MARKS), cell("aug-local", MARKS, tokens=None)], PRICES), "aug-local")
        == 1_197
    )
    free = result([cell("icl", MARKS), cell("aug-local", MARKS)], {**PRICES, "icl_input": 0.0})
    assert break_even_questions(free, "aug-local") is None


@pytest.mark.parametrize(
    ("prices", "message"),
    [
        (
            {"input": 1.0, "output": 1.0, "icl_input": 1.0},
            "prices: gpu_hour is missing; give all of input, output, icl_input, gpu_hour",
        ),
        ({**PRICES, "tpu_hour": 1.0}, "prices: tpu_hour is unknown"),
        ({**PRICES, "output": -1.0}, "prices.output must be an amount of dollars >= 0, got -1.0"),
        ({**PRICES, "output": float("nan")}, "prices.output must be"),
    ],
)
def test_prices_that_cannot_be_used(prices, message):
    with pytest.raises(BenchError, match=message):
        Prices.of(prices)
