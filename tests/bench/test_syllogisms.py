from collections import Counter, defaultdict
from dataclasses import replace
from itertools import product

import pytest

from axolotl_augft.bench.datasets.checker import check
from axolotl_augft.bench.datasets.dataset import BenchData, Stated
from axolotl_augft.bench.datasets.facts import Fact, closure
from axolotl_augft.bench.datasets.syllogisms import FORMS, RULES, SyllogismsGrammar, make_syllogisms

ALL, SOME, NO = (Fact(q, ("glorp", "zib")) for q in ("all", "some", "no"))
DATA = BenchData(
    "syllogisms", "tiny", 0, (), (), (Stated(ALL, ()), Stated(Fact("all", ("zib", "frant")), ())), RULES, ""
)
TERMS = {"?s": "s", "?m": "m", "?p": "p"}


@pytest.fixture(scope="module")
def paper():
    return make_syllogisms("paper", 5)


def holds(fact, kinds):
    """Whether a statement is true where there is an individual of each kind, a kind being the set of terms it has."""
    x, y = fact.arguments
    if fact.predicate == "all":
        return all(y in kind for kind in kinds if x in kind)
    return any({x, y} <= kind for kind in kinds) == (fact.predicate == "some")


def follows(premises, conclusion, import_=False):
    """By trying all models: a model is which of the eight kinds of individuals exist.

    With existential import, only models in which each term has an individual.
    """
    kinds = [frozenset(t for t, has in zip("smp", bits, strict=True) if has) for bits in product((0, 1), repeat=3)]
    models = [[k for k, there in zip(kinds, bits, strict=True) if there] for bits in product((0, 1), repeat=8)]
    if import_:
        models = [m for m in models if all(any(term in kind for kind in m) for term in "smp")]
    return all(holds(conclusion, m) for m in models if all(holds(p, m) for p in premises))


@pytest.mark.parametrize("name", FORMS)
def test_rules_derive_what_holds_in_every_model_and_nothing_else(name):
    premises = [p.filled(TERMS) for p in FORMS[name].premises]
    statements = {Fact(q, pair) for q in ("all", "some", "no") for pair in (("s", "p"), ("p", "s"))}
    derived = closure(premises, RULES) & statements
    assert FORMS[name].conclusion.filled(TERMS) in derived
    assert derived == {f for f in statements if follows(premises, f)}


def test_the_forms_are_all_that_conclude_all_some_or_no():
    figures = [(("m", "p"), ("s", "m")), (("p", "m"), ("s", "m")), (("m", "p"), ("m", "s")), (("p", "m"), ("m", "s"))]
    moods = product(("all", "some", "no"), repeat=3)
    valid = {
        (Fact(a, major), Fact(b, minor), Fact(c, ("s", "p")))
        for (a, b, c), (major, minor) in product(moods, figures)
        if follows([Fact(a, major), Fact(b, minor)], Fact(c, ("s", "p")))
    }
    assert valid == {
        (*(p.filled(TERMS) for p in rule.premises), rule.conclusion.filled(TERMS)) for rule in FORMS.values()
    }


@pytest.mark.parametrize(("scale", "count"), [("tiny", 12), ("small", 24), ("paper", 69)])
def test_every_scale_is_proven(scale, count):
    data = make_syllogisms(scale, 1)
    assert len(data.documents) == len(data.questions) == count
    assert check(data, SyllogismsGrammar(data)) == []


def test_half_all_an_eighth_some_over_all_forms(paper):
    assert Counter(q.fact.predicate for q in paper.questions) == {"all": 34, "some": 9, "no": 26}
    assert Counter(q.subset for q in paper.questions if q.fact.predicate != "all").keys() == FORMS.keys() - {"Barbara"}
    assert max(Counter(q.subset for q in paper.questions if q.fact.predicate == "no").values()) == 7


def test_direction_says_nothing(paper):
    first = defaultdict(list)
    for question in paper.questions:
        named = question.prompt.removeprefix("Here is how ").split(" and ")[0]
        first[question.fact.predicate].append(named == f"{question.fact.arguments[0]}s")
    assert {q: sum(there) for q, there in first.items()} == {"all": 17, "some": 5, "no": 13}


def test_choices_are_all_both_ways_and_no_or_one_of_each(paper):
    for question in paper.questions:
        facts = [*question.distractors]
        facts.insert(question.answer, question.fact)
        offered = ["all", "all", "no"] if question.fact.predicate == "all" else ["all", "no", "some"]
        assert sorted(f.predicate for f in facts) == offered
        assert len({frozenset(f.arguments) for f in facts}) == 1 and len(set(facts)) == 3
        words = [tuple(sorted(c.lower().rstrip(".").split()[1:])) for c in question.choices]
        assert len(set(words)) == 1


def test_the_right_choice_stands_equally_often_at_each_place(paper):
    assert Counter(q.answer for q in paper.questions) == {0: 23, 1: 23, 2: 23}


@pytest.mark.parametrize("import_", [False, True])
def test_in_modern_and_in_traditional_logic_only_the_right_choice_follows(paper, import_):
    premises = defaultdict(list)
    for stated in paper.stated:
        premises[stated.documents[0]].append(stated.fact)
    for number, question in enumerate(paper.questions):
        names = dict(zip(sorted({n for f in premises[number] for n in f.arguments}), "smp", strict=True))
        given = [f.filled(names) for f in premises[number]]
        assert follows(given, question.fact.filled(names), import_)
        assert not any(follows(given, f.filled(names), import_) for f in question.distractors), question.id


def test_no_document_has_a_quantifier_of_the_choices(paper):
    words = {w for d in paper.documents for w in d.lower().replace(".", " ").split()}
    assert not words & {"all", "some", "no"}
    assert {"every", "anything", "nothing", "not", "least"} <= words


def test_a_document_names_three_nouns_and_gives_two_premises(paper):
    grammar = SyllogismsGrammar(paper)
    first = [s.fact for s in paper.stated if s.documents == (0,)]
    assert len(first) == 2 and len({noun for f in first for noun in f.arguments}) == 3
    introduction, *premises = paper.documents[0].split(". ")
    assert all(f"{noun}s" in introduction for f in first for noun in f.arguments)
    assert {f for p in premises for f in grammar.read(p)} == set(first)


def test_mirrored_no_among_the_choices_is_caught(paper):
    question = next(q for q in paper.questions if q.fact.predicate == "no")
    place = next(i for i, d in enumerate(question.distractors) if d.predicate == "some")
    mirrored = Fact("no", question.fact.arguments[::-1])
    distractors = tuple(mirrored if i == place else d for i, d in enumerate(question.distractors))
    problems = check(replace(paper, questions=(replace(question, distractors=distractors),)))
    assert problems == [
        f"question {question.id}: wrong choice no({', '.join(mirrored.arguments)}) follows from what is trained"
    ]


def test_a_seed_makes_the_same_data_again_and_another_seed_other_data(paper):
    assert make_syllogisms("paper", 5) == paper
    assert make_syllogisms("paper", 6).documents != paper.documents


@pytest.mark.parametrize(
    ("fact", "wordings"),
    [
        (ALL, ["All glorps are zibs.", "Every glorp is a zib.", "Anything that is a glorp is also a zib."]),
        (SOME, ["Some glorps are zibs.", "At least one glorp is a zib.", "There is a glorp that is also a zib."]),
        (NO, ["No glorps are zibs.", "Not one glorp is a zib.", "Nothing that is a glorp is also a zib."]),
    ],
)
def test_wordings_are_read_back(fact, wordings):
    grammar = SyllogismsGrammar(DATA)
    assert grammar.wordings(fact) == wordings
    assert [grammar.read(w) for w in wordings] == [(fact,)] * 3


@pytest.mark.parametrize(
    ("sentence", "facts"),
    [
        ("Therefore, every glorp is a zib!", (ALL,)),
        ("If something is a glorp, then it is a zib.", (ALL,)),
        ("Here is how glorps and zibs are related. Some glorps are zibs.", (SOME,)),
        ("There are some glorps that are zibs", (SOME,)),
        ("None of the glorps are zibs.", (NO,)),
        ("Nothing is both a glorp and a zib.", (NO,)),
        ("All glorps are zipps.", (Fact("all", ("glorp", "zipps")),)),
        (
            "All glorps are frants because all glorps are zibs and all zibs are frants.",
            (Fact("all", ("glorp", "frant")), ALL, DATA.facts[1]),
        ),
    ],
)
def test_other_ways_to_say_it(sentence, facts):
    assert SyllogismsGrammar(DATA).read(sentence) == facts


@pytest.mark.parametrize(
    "sentence",
    [
        "Some glorps are not zibs.",
        "Not all glorps are zibs.",
        "All glorps are not zibs.",
        "No glorp is not a zib.",
        "It is false that all glorps are zibs.",
        "Glorps are zibs.",
        "All of them are zibs.",
        "Are all glorps zibs?",
        "All glorps are zibs, but who knows.",
        "Here is how glorps and zibs are related.",
    ],
)
def test_what_is_not_read(sentence):
    assert SyllogismsGrammar(DATA).read(sentence) == ()
