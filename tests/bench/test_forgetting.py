"""The general tasks that tell what training makes a model forget: their questions, and where they appear."""

from dataclasses import replace

import pytest

from axolotl_augft.bench.datasets.forgetting.tasks import general_questions
from axolotl_augft.bench.experiments import plan
from axolotl_augft.bench.experiments.plan import Cell, Fingerprints
from axolotl_augft.bench.experiments.questions import check_questions
from axolotl_augft.bench.report.tables import table_lines
from axolotl_augft.sources.replay import own_questions
from tests.bench.test_suite import plan_of
from tests.support.bench_results import cell, result


@pytest.mark.parametrize(("name", "choices"), [("everyday", 4), ("grammar", 2)])
def test_the_questions_can_be_scored_and_their_answers_stand_everywhere(name, choices):
    questions = general_questions(name)
    check_questions(questions, name)
    assert len({q.prompt + q.choices[q.answer] for q in questions}) == 48
    assert [sum(q.answer == place for q in questions) for place in range(choices)] == [48 // choices] * choices


def test_none_of_them_is_replayed():
    replayed = {e.answer.lower().rstrip(".") for e in own_questions() if len(e.answer.split()) < 4}
    everyday = {q.choices[q.answer].lower() for q in general_questions("everyday")}
    assert replayed & everyday <= {"six"}


def test_a_cell_is_scored_anew_if_other_tasks_are_asked_for(tmp_path):
    before = plan_of(tmp_path)
    asked = plan_of(tmp_path, forgetting=["grammar"])
    assert asked.forgetting == ("grammar",)
    for cell_ in (Cell("pretrained"), Cell("ft")):
        assert Fingerprints(before).of(cell_) != Fingerprints(asked).of(cell_)
    assert Fingerprints(before).of(Cell("icl")) == Fingerprints(asked).of(Cell("icl"))


def test_a_cell_is_scored_anew_if_the_right_answer_of_a_task_changes(tmp_path, monkeypatch):
    asked = plan_of(tmp_path, forgetting=["grammar"])
    before = Fingerprints(asked).of(Cell("ft"))
    corrected = tuple(replace(q, answer=1 - q.answer) for q in general_questions("grammar"))
    monkeypatch.setattr(plan, "general_questions", lambda name: corrected)
    assert Fingerprints(asked).of(Cell("ft")) != before


def test_the_table_has_a_column_for_each_task():
    cells = [
        replace(cell("pretrained", {"fwd/a": "10"}), general={"everyday": 0.5}),
        replace(cell("ft", {"fwd/a": "11"}), general={"everyday": 0.25}),
        replace(cell("ft", {"fwd/a": "11"}, seed=1), general={"everyday": 0.5}),
        cell("icl", {"fwd/a": "10"}),
    ]
    lines = table_lines([result(cells)])
    header = next(line for line in lines if line.startswith("| condition"))
    place = header.split(" | ").index("everyday (general)")
    shown = {line.split(" | ")[0]: line.split(" | ")[place] for line in lines if line.startswith("| ")}
    assert (shown["| pretrained"], shown["| icl"], shown["| ft"]) == ("0.500", "–", "0.375")
