"""The process knowledge data set: laws, expressions, and questions that combine laws anew."""

import random
from functools import cache

import pytest

from axolotl_augft.bench.datasets.checker import check
from axolotl_augft.bench.datasets.dataset import BenchData, Scale, Stated
from axolotl_augft.bench.datasets.facts import Fact, closure
from axolotl_augft.bench.datasets.process.make import ProcessGrammar, make_process
from axolotl_augft.bench.datasets.process.rules import Joined, Law, System, maps, parsed, syntax, system

LAWS = System(
    {"plon": Law("plon", "skav", True), "skav": Law("skav", "plon", False)},
    {"zib": "lorn", "lorn": "kelm", "kelm": "zib"},
)
NESTED = Joined("plon", Joined("skav", "zib", "lorn"), "kelm")


def _grammar() -> ProcessGrammar:
    stated = tuple(Stated(maps(a, b), (0,)) for a, b in LAWS.names.items())
    background = (*syntax(NESTED), *syntax(LAWS.result(NESTED)))
    return ProcessGrammar(
        BenchData(
            "process", "tiny", 0, ("",), (), stated, (), "about", background=background, settings={"operator": "drem"}
        )
    )


GRAMMAR = _grammar()


@cache
def made(scale: Scale, seed: int = 0) -> BenchData:
    return make_process(scale, seed)


def test_a_law_is_applied_within_another() -> None:
    assert str(NESTED) == "((zib skav lorn) plon kelm)"
    assert str(LAWS.result(NESTED)) == "(zib skav (lorn plon kelm))"


def test_rules_conclude_what_the_laws_say() -> None:
    facts = [*(maps(a, b) for a, b in LAWS.names.items()), *syntax(NESTED), *syntax(LAWS.result(NESTED))]
    follows = closure(facts, [law.rule for law in LAWS.laws.values()])
    assert maps(NESTED, LAWS.result(NESTED)) in follows
    assert {f.arguments[1] for f in follows if f.predicate == "maps" and f.arguments[0] == str(NESTED)} == {
        "(zib skav (lorn plon kelm))"
    }


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("zib", "zib"),
        ("(zib)", "zib"),
        ("zib plon lorn", "(zib plon lorn)"),
        ("((zib skav lorn) plon kelm)", "((zib skav lorn) plon kelm)"),
        ("(zib skav lorn) plon kelm", "((zib skav lorn) plon kelm)"),
        ("zib plon", None),
        ("(zib plon lorn", None),
        ("zib plon lorn)", None),
        ("zib plon lorn skav kelm", None),
        ("zib + lorn", None),
        ("", None),
    ],
)
def test_expressions_are_parsed(text: str, expression: str | None) -> None:
    found = parsed(text)
    assert (None if found is None else str(found)) == expression


@pytest.mark.parametrize(
    ("sentence", "facts"),
    [
        ("The drem of zib is lorn.", [("zib", "lorn")]),
        ("So, taking the drem of (zib plon lorn) gives (kelm skav lorn).", [("(zib plon lorn)", "(kelm skav lorn)")]),
        ("Zib has the drem lorn", [("zib", "lorn")]),
        ("We get lorn as the drem of zib.", [("zib", "lorn")]),
        ("drem(zib plon lorn) = (kelm skav lorn)", [("(zib plon lorn)", "(kelm skav lorn)")]),
        ("The drem of zib is lorn, and the drem of lorn is kelm.", [("zib", "lorn"), ("lorn", "kelm")]),
        ("The drem of zib is not lorn.", []),
        ("What is the drem of zib?", []),
        ("The drem of wug is lorn.", []),
        ("The drem of (zib wug lorn) is kelm.", []),
        ("Let us find the drem of (zib plon lorn).", []),
        ("The law for plon says that it becomes skav and that the sides change places.", []),
        ("It is false that the drem of zib is lorn.", []),
    ],
)
def test_a_sentence_is_read(sentence: str, facts: list[tuple[str, str]]) -> None:
    assert GRAMMAR.read(sentence) == tuple(Fact("maps", pair) for pair in facts)


def test_syntax_is_not_put_into_words() -> None:
    assert GRAMMAR.wordings(Fact("joins", ("(zib plon lorn)", "plon", "zib", "lorn"))) == ()


@pytest.mark.parametrize(("scale", "seed"), [("tiny", 0), ("tiny", 1), ("small", 0)])
def test_the_checker_finds_nothing(scale: Scale, seed: int) -> None:
    data = made(scale, seed)
    assert check(data, ProcessGrammar(data)) == []


def test_every_wording_is_read_back() -> None:
    data = made("tiny")
    grammar = ProcessGrammar(data)
    for stated in data.stated:
        wordings = grammar.wordings(stated.fact)
        assert len(wordings) >= 2
        assert {grammar.read(w) for w in wordings} == {(stated.fact,)}


def _pair(text: str) -> str | None:
    """Which operation is inside which one, as the settings have it; None for an expression of fewer than two."""
    whole = parsed(text)
    sides = (whole.left, whole.right) if isinstance(whole, Joined) else ()
    return next((f"{side.operation} inside {whole.operation}" for side in sides if isinstance(side, Joined)), None)


def test_no_document_combines_laws_as_a_question_does() -> None:
    data = made("small")
    held_out = set(data.settings["held_out"])
    trained = {_pair(s.fact.arguments[0]) for s in data.stated} - {None}
    assert (len(held_out), len(trained)) == (12, 24)
    assert not held_out & trained
    assert (
        {_pair(q.fact.arguments[0]) for q in data.questions if q.fact} == {q.subset for q in data.questions} == held_out
    )


def test_all_choices_are_made_of_the_same_words() -> None:
    for question in made("small").questions:
        words = [sorted(c.replace("(", "").replace(")", "").split()) for c in question.choices]
        assert words == [words[0]] * 4


def test_sizes() -> None:
    assert [(len(made(s).documents), len(made(s).questions)) for s in ("tiny", "small")] == [(60, 12), (200, 60)]


def test_no_two_laws_are_alike() -> None:
    drawn = system(("zib", "lorn", "kelm"), tuple("abcdef"), random.Random(3))
    assert len({(law.result, law.turned) for law in drawn.laws.values()}) == 6
    assert sorted(drawn.names.values()) == sorted(drawn.names)
    assert all(a != b for a, b in drawn.names.items())


def test_a_seed_makes_the_same_data_again_and_another_seed_other_data() -> None:
    assert make_process("tiny", 1) == made("tiny", 1)
    assert made("tiny", 1).documents != made("tiny", 0).documents
