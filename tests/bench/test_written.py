"""Answers that students write: compared with the right one, kept in results, and shown in the table."""

from dataclasses import replace

import pytest

from axolotl_augft.bench.report.results import Score, load_result, save_result
from axolotl_augft.bench.report.tables import table_lines
from axolotl_augft.bench.report.written import Written, compared
from tests.support.bench_results import cell, result


@pytest.mark.parametrize(
    ("text", "answer", "exact", "f1", "contains"),
    [
        (" The Denver Broncos.", "Denver Broncos", True, 1.0, True),
        ("It was the Broncos of Denver", "Denver Broncos", False, 2 * 2 / 7, False),
        ("In 1901, of course", "1901", False, 2 / 5, True),
        ("Carolina", "Denver Broncos", False, 0.0, False),
        ("", "Denver Broncos", False, 0.0, False),
        ("30 m", "£30m", False, 0.0, False),
        ("Überlingen", "überlingen", True, 1.0, True),
        ("cat catapult", "cat a pult", False, 2 / 4, False),
        ("%", "%", True, 1.0, True),
    ],
)
def test_exact_f1_and_containment(text, answer, exact, f1, contains):
    found = compared(text, answer)
    assert found == Written(text.strip(), exact, pytest.approx(f1), contains)


IN_IT, WRONG = Written("In 1901", False, 0.5, True), Written("1902", False, 0.0, False)


def test_an_open_question_is_right_if_the_answer_is_in_it():
    assert Score("q", "s", "", 0, (), (4,), IN_IT).right
    assert not Score("q", "s", "", 0, (), (4,), WRONG).right
    assert not Score("q", "s", "", 0, (-2.0, -1.0), (1, 1), IN_IT).right


def written_cell(*written: Written):
    made = cell("ft", {"fwd/a": "1", "rev/b": "0"})
    scores = [replace(s, written=w) for s, w in zip(made.scores, written, strict=True)]
    return replace(made, scores=tuple(scores))


def test_they_are_kept_in_the_results(tmp_path):
    made = result([written_cell(IN_IT, WRONG), cell("icl", {"fwd/a": "1"})])
    save_result(made, tmp_path / "r.json")
    assert load_result(tmp_path / "r.json") == made


def test_they_are_in_the_table():
    lines = table_lines([result([written_cell(IN_IT, WRONG), cell("icl", {"fwd/a": "1", "rev/b": "1"})])])
    header, _, icl, ft, _ = (line for line in lines if line.startswith("|"))
    assert "| fwd | rev | exact | F1 | in it | in it: fwd | in it: rev |" in header
    assert "| 0.500 ± 0.500 | 1.000 | 0.000 | 0.000 ± 0.000 | 0.250 ± 0.250 | 0.500 ± 0.500 | 1.000 | 0.000 |" in ft
    assert "| 1.000 ± 0.000 | 1.000 | 1.000 | – | – | – | – | – |" in icl
    assert "Exact, F1 and in it are about the answers that students wrote" in lines[-1]
