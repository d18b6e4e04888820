import dataclasses

import pytest

from axolotl_augft.bench.datasets.dataset import BenchData, Question
from axolotl_augft.bench.report.reach import Reach, random_groups, reach, reach_lines, related_groups
from axolotl_augft.errors import BenchError
from axolotl_augft.text.tokens import ESTIMATE
from tests.support.bench_toys import DOCUMENTS, TOY


def shares(groups):
    return {r.split: r.share for r in reach(groups, TOY)}


def test_reach_of_literal_groups():
    assert reach([(0,), (1,), (2,), (3,)], TOY) == [
        Reach("reversals", 2, 2),
        Reach("syllogisms", 0, 1),
        Reach("holdouts", 0, 1),
        Reach("all", 2, 4),
    ]
    assert shares([(1, 2)]) == {"reversals": 0.0, "syllogisms": 1.0, "holdouts": 0.0, "all": 0.25}
    assert shares([(0, 1), (2, 3)]) == {"reversals": 1.0, "syllogisms": 0.0, "holdouts": 0.0, "all": 0.5}
    assert shares([(0, 1), (2, 3), (3, 2, 1)]) == {"reversals": 1.0, "syllogisms": 1.0, "holdouts": 1.0, "all": 1.0}
    assert shares([]) == {"reversals": 0.0, "syllogisms": 0.0, "holdouts": 0.0, "all": 0.0}


def test_what_holds_anyway_needs_no_document():
    known = dataclasses.replace(TOY, stated=TOY.stated[:2], background=tuple(s.fact for s in TOY.stated[2:]))
    assert {r.split: r.share for r in reach([(0,), (1,)], known)} == {
        "reversals": 1.0,
        "syllogisms": 1.0,
        "holdouts": 1.0,
        "all": 1.0,
    }


def test_a_fact_that_two_questions_ask_for_counts_once():
    twice = dataclasses.replace(TOY, questions=(*TOY.questions, dataclasses.replace(TOY.questions[0], id="9")))
    assert reach([(0,)], twice)[0] == Reach("reversals", 1, 2)


@pytest.mark.parametrize("make", [related_groups, random_groups])
def test_every_document_stands_in_one_group_of_each_pass(make):
    texts = tuple(f"The {a}{i} sees the {b}." for i in range(10) for a, b in (("glorp", "zib"), ("kem", "wub")))
    data = dataclasses.replace(TOY, documents=texts)
    passes = make(data, ESTIMATE, 64, 2)
    assert len(passes) == 2
    for one in passes:
        assert sorted(d for group in one for d in group) == list(range(20))
        assert all(sum(ESTIMATE.count(f"[00000000] {texts[d]}\n") for d in group) <= 64 for group in one)
        assert len(one) > 2


def test_related_documents_stand_together_and_random_ones_do_not():
    texts = tuple(f"The {a}{i} sees the {b}." for i in range(6) for a, b in (("glorp", "zib"), ("kem", "wub")))
    data = dataclasses.replace(TOY, documents=texts)
    (one,) = related_groups(data, ESTIMATE, 64, 1)
    assert {g for g in one if len(g) > 1} == {(0, 2, 4, 6, 8, 10), (1, 3, 5, 7, 9, 11)}
    assert random_groups(data, ESTIMATE, 64, 1, seed=1) != [one]
    assert random_groups(data, ESTIMATE, 64, 1, seed=1) == random_groups(data, ESTIMATE, 64, 1, seed=1)


def test_equal_documents_are_one():
    data = dataclasses.replace(TOY, documents=(*DOCUMENTS, DOCUMENTS[0]))
    assert sorted(related_groups(data, ESTIMATE, 1000, 1)[0][0]) == [0, 1, 2, 3]
    assert sorted(random_groups(data, ESTIMATE, 1000, 1)[0][0]) == [0, 1, 2, 3]


def test_a_document_above_the_context_is_refused():
    data = dataclasses.replace(TOY, documents=("All zibs are kems. " * 40,))
    with pytest.raises(
        BenchError, match="1 documents are longer than 64 tokens and would be cut; raise --context-tokens"
    ):
        related_groups(data, ESTIMATE, 64, 1)


def test_questions_without_facts_have_no_reach():
    data: BenchData = dataclasses.replace(TOY, questions=(Question("0", "Who?", ("a", "b"), 0, "all"),))
    with pytest.raises(BenchError, match="no question says what fact it asks for"):
        reach([(0,)], data)


def test_the_table(tmp_path):
    lines = reach_lines(TOY, 1000, 2)
    assert lines[0] == "toy (tiny): 4 documents, 1 groups of 1,000 tokens (estimated as bytes / 4)"
    assert (
        lines[2] == "| split | test facts | related, 1 pass | random, 1 pass | related, 2 passes | random, 2 passes |"
    )
    assert lines[4] == "| reversals | 2 | 1.000 | 1.000 | 1.000 | 1.000 |"
    assert lines[-1].startswith("| all | 4 |")
    with pytest.raises(BenchError, match="holds no tokenizer.json"):
        reach_lines(TOY, 1000, 2, tmp_path)
