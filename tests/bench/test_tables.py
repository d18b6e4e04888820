from dataclasses import replace

import pytest
from click.testing import CliRunner
from scipy.stats import sem

from axolotl_augft.bench.cli import bench
from axolotl_augft.bench.report.cost import ASSUMPTION
from axolotl_augft.bench.report.estimates import baseline, estimate, variants
from axolotl_augft.bench.report.results import save_result, together
from axolotl_augft.bench.report.tables import insert, table_lines
from axolotl_augft.errors import BenchError
from tests.support.bench_results import cell, result, scores


def test_one_seed_with_equal_subsets_has_the_standard_error_of_the_subset_means():
    found = estimate([scores({"s/a": "1110", "s/b": "1000", "s/c": "1111", "s/d": "1100"})])
    assert found.accuracy == 10 / 16
    assert found.standard_error == pytest.approx(sem([0.75, 0.25, 1.0, 0.5]))


def test_subsets_of_different_size_by_hand():
    # mean 3/6; summed deviations a 0.5, b 0.5, c -1: 3/2 * (0.25 + 0.25 + 1) / 36 = 1/16
    found = estimate([scores({"s/a": "110", "s/b": "1", "s/c": "00"})])
    assert (found.accuracy, found.standard_error) == (0.5, pytest.approx(0.25))


def test_several_seeds_add_their_spread_by_hand():
    # seeds 0.5 and 0.75; subset means over both 0.75 and 0.5
    found = estimate([scores({"s/a": "10", "s/b": "10"}), scores({"s/a": "11", "s/b": "10"})])
    assert (found.accuracy, found.seeds) == (0.625, 2)
    assert found.standard_error == pytest.approx((sem([0.75, 0.5]) ** 2 + sem([0.5, 0.75]) ** 2) ** 0.5)


def test_seeds_count_alike_whatever_their_number_of_questions():
    assert estimate([scores({"s/a": "1", "s/b": "1"}), scores({"s/a": "00", "s/b": "00"})]).accuracy == 0.5


def test_a_question_without_subset_is_its_own_and_one_subset_has_no_standard_error():
    assert estimate([scores({"s/": "1101"})]).standard_error == pytest.approx(sem([1, 1, 0, 1]))
    assert estimate([scores({"s/a": "1101"})]).standard_error is None


def test_the_better_way_of_splitting_is_the_baseline():
    found = variants(
        result([cell("ft", {"s/a": "10", "s/b": "00"}), cell("ft", {"s/a": "11", "s/b": "00"}, splitting="cumulative")])
    )
    assert baseline(found) is found[1] and found[1].splitting == "cumulative"
    assert baseline(variants(result([cell("icl", {"s/a": "1"})]))) is None


def test_as_many_epochs_are_not_as_many_steps():
    made = result([cell("ft", {"s/a": "10", "s/b": "1"}), cell("aug-local", {"s/a": "10", "s/b": "1"})])
    longer = replace(made.cells[1], training=replace(made.cells[1].training, steps=900))
    made = replace(made, cells=(made.cells[0], longer))
    with pytest.raises(BenchError, match="results of 300 and 900 steps cannot be merged"):
        together([made])
    made = replace(made, match="source")
    assert together([made]) == [made]
    assert "Every trained condition sees the source rows equally often" in table_lines([made])[2]


def test_the_whole_table():
    cells = [
        cell("aug-local", {"fwd/a": "11", "fwd/b": "11", "rev/a": "11", "rev/b": "10"}),
        cell("pretrained", {"fwd/a": "10", "fwd/b": "00", "rev/a": "10", "rev/b": "00"}),
        cell("icl", {"fwd/a": "11", "fwd/b": "10", "rev/a": "10", "rev/b": "10"}),
        cell("ft", {"fwd/a": "10", "fwd/b": "10", "rev/a": "00", "rev/b": "00"}, splitting="independent"),
        cell("ft", {"fwd/a": "11", "fwd/b": "11", "rev/a": "00", "rev/b": "10"}),
        replace(
            cell("aug-local", {"fwd/a": "1"}, seed=1),
            status="failed",
            scores=(),
            error="axolotl train ended\nwith 1 | see its log",
        ),
        replace(cell("aug-both", {"fwd/a": "1"}), status="failed", scores=(), error="no memory"),
    ]
    assert table_lines([result(cells)]) == [
        "### Made up for a test",
        "",
        "Student tiny; 2 cores; axolotl 0.19.0, lm_eval 0.4.11.",
        "",
        "| condition | seeds | questions | accuracy | fwd | rev | steps | tokens seen | rows | augmentations | "
        "context tokens | teacher "
        "| teacher tokens | teacher s | training s | scoring s |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | "
        "---: |",
        "| pretrained | 1 | 8 | 0.250 ± 0.250 | 0.250 ± 0.250 | 0.250 ± 0.250 | – | – | – | – | – | – | – | – | – | "
        "20 |",
        "| icl | 1 | 8 | 0.625 ± 0.125 | 0.750 ± 0.250 | 0.500 ± 0.000 | – | – | – | – | 844 | – | – | – | – | 20 |",
        "| ft, none (baseline) | 1 | 8 | 0.625 ± 0.125 | 1.000 ± 0.000 | 0.250 ± 0.250 | 300 | 400,000 | 3,600 | – | "
        "– | – | – | – | 900 "
        "| 20 |",
        "| ft, independent | 1 | 8 | 0.250 ± 0.000 | 0.500 ± 0.000 | 0.000 ± 0.000 | 300 | 400,000 | 3,600 | – | – | "
        "– | – | – | 900 "
        "| 20 |",
        "| aug-local | 1 of 2 | 8 | 0.875 ± 0.125 | 1.000 ± 0.000 | 0.750 ± 0.250 | 300 | 400,000 | 3,600 | 161 | – | "
        "scripted "
        "| 30,000 + 5,000 | 120 | 900 | 20 |",
        "| chance | – | – | 0.250 | 0.250 | 0.250 | – | – | – | – | – | – | – | – | – | – |",
        "",
        "| difference | measure | all | fwd | rev |",
        "| --- | --- | ---: | ---: | ---: |",
        "| aug-local − ft, none | accuracy | +0.250 ± 0.250 | +0.000 ± 0.000 | +0.500 ± 0.500 |",
        "",
        "* aug-local: 35,000 teacher tokens; 0.03 h of augmentation; 0.25 h of training; **paid for against icl after "
        "1,464 questions** of "
        "844 context tokens each (1,235,000 forward tokens once)",
        "* failed: aug-local, seed 1, splitting none: axolotl train ended with 1 \\| see its log",
        "* failed: aug-both, seed 0, splitting none: no memory",
        "",
        "Accuracy (likeliest of the choices), mean over seeds ± standard error over task subsets and seeds. Tokens "
        "and seconds are means "
        "over seeds; teacher tokens are read + written. Differences are over the same questions, against the control "
        "that differs in nothing but what is to be shown: ft-form, or ft where that was not run. " + ASSUMPTION,
    ]


def test_dollars_are_told_and_columns_that_nothing_fills_are_left_out():
    prices = {"input": 0.1, "output": 0.4, "icl_input": 0.5, "gpu_hour": 2.0}
    lines = table_lines(
        [result([cell("icl", {"s/a": "1", "s/b": "0"}), cell("aug-both", {"s/a": "1", "s/b": "1"})], prices)]
    )
    assert "$0.005 for the teacher, $0.50 for training; **paid for against icl after 1,197 questions**" in lines[-3]
    assert ASSUMPTION not in lines[-1]
    bare = table_lines([result([cell("pretrained", {"s/a": "1", "s/b": "0"})])])
    assert bare[4] == "| condition | seeds | questions | accuracy | scoring s |"


def test_a_finished_cell_without_scores_is_refused():
    with pytest.raises(BenchError, match="made-up: the finished cell ft, seed 0, splitting none holds no scores"):
        table_lines([result([replace(cell("ft", {"s/a": "1"}), scores=())])])


def test_the_command_puts_the_table_between_the_marks(tmp_path):
    save_result(result([cell("pretrained", {"s/a": "1", "s/b": "0"})]), tmp_path / "r.json")
    page = tmp_path / "README.md"
    page.write_text("before\n<!-- bench -->\nold \\1\n<!-- /bench -->\nafter\n")
    for _ in range(2):
        done = CliRunner().invoke(bench, ["table", str(tmp_path / "r.json"), "--page", str(page)])
        assert done.exit_code == 0, done.output
    text = page.read_text()
    assert text.startswith("before\n<!-- bench -->\n### Made up") and text.endswith("\n<!-- /bench -->\nafter\n")
    assert "old" not in text and text.count("| chance |") == 1
    printed = CliRunner().invoke(bench, ["table", str(tmp_path / "r.json")]).output
    assert printed.rstrip("\n") in text


@pytest.mark.parametrize(
    "text", ["no marks", "<!-- /bench --> <!-- bench -->", "<!-- bench --><!-- bench --><!-- /bench -->"]
)
def test_a_page_without_its_marks_stays_as_it_is(tmp_path, text):
    page = tmp_path / "README.md"
    page.write_text(text)
    with pytest.raises(BenchError, match="put <!-- bench --> and, below it, <!-- /bench -->"):
        insert(page, ["table"])
    assert page.read_text() == text


def test_a_file_that_is_no_result_gives_one_line(tmp_path):
    (tmp_path / "r.json").write_text("{}")
    done = CliRunner().invoke(bench, ["table", str(tmp_path / "r.json")])
    assert done.exit_code == 1 and "not a result of `axolotl augft bench run`" in done.output


def test_runs_of_one_suite_are_put_together_and_a_finished_cell_replaces_a_failed_one():
    crashed = replace(cell("ft", {}, seed=1), status="failed", scores=(), error="out of memory")
    first = result([cell("aug-local", {"s/a": "11"}), cell("ft", {"s/a": "10"}), crashed])
    second = result([cell("ft", {"s/a": "00"}), cell("ft", {"s/a": "01"}, seed=1)])
    elsewhere = replace(second, machine="4 cores")
    one, other = together([first, second, elsewhere])
    assert [(c.condition, c.seed, c.accuracy) for c in one.cells] == [
        ("ft", 0, 0.5),
        ("ft", 1, 0.5),
        ("aug-local", 0, 1.0),
    ]
    assert other == elsewhere


def test_runs_of_different_length_are_not_put_together():
    longer = cell("ft", {"s/a": "10"}, seed=1)
    longer = replace(longer, training=replace(longer.training, steps=400))
    with pytest.raises(BenchError, match="results of 300 and 400 steps cannot be merged"):
        together([result([cell("ft", {"s/a": "10"})]), result([longer])])


def test_what_is_less_accurate_than_icl_has_not_paid_for_itself():
    lines = table_lines([result([cell("icl", {"s/a": "11"}), cell("aug-local", {"s/a": "10"})])])
    assert any(line.endswith("; less accurate than icl") for line in lines) and not any(
        "paid for" in line for line in lines
    )
