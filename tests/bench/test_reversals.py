from collections import Counter
from dataclasses import replace

import pytest

from axolotl_augft.bench.datasets.checker import check
from axolotl_augft.bench.datasets.dataset import BenchData, Stated, load, save
from axolotl_augft.bench.datasets.facts import Fact
from axolotl_augft.bench.datasets.reversals import FEATURES, RULES, ReversalsGrammar, make_reversals

MORE, LESS = Fact("more", ("glorp", "zib", "fragrant")), Fact("less", ("zib", "glorp", "fragrant"))
ANOTHER = Fact("more", ("frant", "blurf", "patient"))
DATA = BenchData("reversals", "tiny", 0, (), (), (Stated(MORE, ()), Stated(ANOTHER, ())), RULES, "")


@pytest.fixture(scope="module")
def paper():
    return make_reversals("paper", 5)


def test_paper_scale_has_100_facts_in_10_articles_with_different_openings(paper):
    assert len(paper.stated) == 100 and {len(s.documents) for s in paper.stated} == {10}
    assert len(set(paper.documents)) == 1000
    assert {s.fact.arguments[2] for s in paper.stated} == set(FEATURES) and len(FEATURES) == 28
    assert len({noun for s in paper.stated for noun in s.fact.arguments[:2]}) == 200


def test_question_continues_the_second_noun_and_the_answer_is_balanced(paper):
    for stated, question in zip(paper.stated, paper.questions, strict=True):
        this, other, feature = stated.fact.arguments
        right, wrong = ("less", "more") if stated.fact.predicate == "more" else ("more", "less")
        assert question.prompt == f"{other.capitalize()}s are"
        assert set(question.choices) == {f"less {feature} than {this}s", f"more {feature} than {this}s"}
        assert question.choices[question.answer].startswith(right)
        assert question.fact == Fact(right, (other, this, feature))
        assert question.distractors == (Fact(wrong, (other, this, feature)),)
    assert Counter((q.fact.predicate, q.answer) for q in paper.questions) == dict.fromkeys(
        [("more", 0), ("more", 1), ("less", 0), ("less", 1)], 25
    )


@pytest.mark.parametrize(("scale", "facts"), [("tiny", 8), ("small", 15), ("paper", 50)])
def test_half_of_the_facts_are_trained_with_less_and_every_feature_with_both(scale, facts):
    data = make_reversals(scale, 3)
    assert Counter(s.fact.predicate for s in data.stated) == {"more": facts, "less": facts}
    told = {(s.fact.arguments[2], s.fact.predicate) for s in data.stated}
    assert len(told) == 2 * len({feature for feature, _ in told})


@pytest.mark.parametrize(
    ("scale", "documents", "questions"), [("tiny", 64, 16), ("small", 120, 30), ("paper", 1000, 100)]
)
def test_every_scale_is_proven(scale, documents, questions):
    data = make_reversals(scale, 1)
    assert (len(data.documents), len(data.questions)) == (documents, questions)
    assert check(data, ReversalsGrammar(data)) == []


def test_turned_questions_are_not(paper):
    first = paper.questions[0]
    turned = replace(first, fact=first.distractors[0], distractors=(first.fact,), answer=1 - first.answer)
    problems = check(replace(paper, questions=(turned,)), ReversalsGrammar(paper))
    assert len(problems) == 2 and "does not follow" in problems[0] and "follows from what is trained" in problems[1]


def test_a_seed_makes_the_same_data_again_and_another_seed_other_data(paper):
    assert make_reversals("paper", 5) == paper
    assert make_reversals("paper", 6).documents != paper.documents


def test_grammar_of_a_loaded_folder_reads_its_documents(tmp_path):
    data = make_reversals("tiny", 0)
    save(data, tmp_path)
    grammar = ReversalsGrammar(load(tmp_path))
    assert all(grammar.read(data.documents[i]) == (s.fact,) for s in data.stated for i in s.documents)


def test_wordings_are_read_back():
    grammar = ReversalsGrammar(DATA)
    assert grammar.wordings(MORE) == [
        "Glorps are more fragrant than zibs.",
        "Compared with zibs, glorps are more fragrant.",
    ]
    assert grammar.wordings(LESS) == [
        "Zibs are less fragrant than glorps.",
        "Compared with glorps, zibs are less fragrant.",
        "Zibs are not as fragrant as glorps.",
    ]
    assert all(grammar.read(w) == (fact,) for fact in (MORE, LESS) for w in grammar.wordings(fact))


@pytest.mark.parametrize(
    ("sentence", "fact"),
    [
        ("Did you know that the glorps are more fragrant than the zibs??", MORE),
        ("- **A glorp is more fragrant than a zib**", MORE),
        ("Than zibs, glorps are more fragrant.", MORE),
        ("As everyone knows, glorps are much more fragrant compared to zibs.", MORE),
        ("Of glorps and zibs, glorps are the more fragrant.", MORE),
        ("Of zibs and glorps, the less fragrant are zibs.", LESS),
        ("It is a fact that zibs aren't as fragrant as glorps, you know.", LESS),
        ("“Therefore, it follows that zibs are less fragrant than glorps are.”", LESS),
        ("Zibs are more fragrant than glorps.", Fact("more", ("zib", "glorp", "fragrant"))),
        ("Zibbs are less fragrant than glorps.", Fact("less", ("zibbs", "glorp", "fragrant"))),
        ("Zibs are less flagrant than glorps.", Fact("less", ("zib", "glorp", "flagrant"))),
    ],
)
def test_other_ways_to_say_it(sentence, fact):
    assert ReversalsGrammar(DATA).read(sentence) == (fact,)


@pytest.mark.parametrize(
    "sentence",
    [
        "Glorps are not more fragrant than zibs.",
        "It is not true that glorps are more fragrant than zibs.",
        "No glorps are more fragrant than zibs.",
        "Are glorps more fragrant than zibs?",
        "If glorps are more fragrant than zibs, zibs are less fragrant than glorps.",
        "Glorps are more fragrant than zibs only in winter.",
        "Glorps are more fragrant than zibs, so everybody likes them.",
        "They are less fragrant than glorps.",
        "Of glorps and zibs, frants are more fragrant.",
        "Glorps are more fragrant than glorps.",
        "Glorps and zibs are equally fragrant.",
        "Glorps are fragrant.",
        "",
    ],
)
def test_what_is_not_read(sentence):
    assert ReversalsGrammar(DATA).read(sentence) == ()


def test_two_clauses_state_two_facts():
    assert ReversalsGrammar(DATA).read(
        "Glorps are more fragrant than zibs, so zibs are less fragrant than glorps."
    ) == (MORE, LESS)
