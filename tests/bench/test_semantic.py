"""The semantic structure data set: its inferences, questions and documents, and what its grammar understands."""

from collections import Counter
from functools import cache

import pytest

from axolotl_augft.bench.datasets.checker import check
from axolotl_augft.bench.datasets.dataset import BenchData, Scale, Stated
from axolotl_augft.bench.datasets.facts import Fact, closure
from axolotl_augft.bench.datasets.semantic.facts import RULES, mirror
from axolotl_augft.bench.datasets.semantic.make import SemanticGrammar, make_semantic
from axolotl_augft.bench.datasets.semantic.world import world
from axolotl_augft.bench.datasets.words.scorer import sentences_of
from axolotl_augft.bench.report.reach import reach, related_groups
from axolotl_augft.text.tokens import ESTIMATE

TRUE = (
    *("is_a zib glorp", "is_a glorp kelm", "is glorp frant", "is glorp dreb", "has glorp spon", "can zib murv"),
    *("does glorp tren lorn", "includes kelm lorn", "done_by zib tren kelm"),
)


def fact(text: str) -> Fact:
    return Fact.of(text.split())


GRAMMAR = SemanticGrammar(
    BenchData("semantic", "tiny", 0, ("",), (), tuple(Stated(fact(t), (0,)) for t in TRUE), RULES, "about"),
)


@cache
def made(scale: Scale, seed: int = 0) -> BenchData:
    return make_semantic(scale, seed)


@pytest.mark.parametrize(
    ("sentence", "facts"),
    [
        ("Zibs are a kind of glorp.", ["is_a zib glorp"]),
        ("All zibs are glorps", ["is_a zib glorp"]),
        ("Every zib is a glorp.", ["is_a zib glorp"]),
        ("It is known that a zib is a type of glorp.", ["is_a zib glorp"]),
        ("Glorps include zibs.", ["includes glorp zib"]),
        ("One kind of glorp is the zib.", ["includes glorp zib"]),
        ("Did you know that glorps are FRANT?", ["is glorp frant"]),
        ("A: A glorp is frant and dreb.", ["is glorp frant", "is glorp dreb"]),
        ("- Glorps and lorns have spons!", ["has glorp spon", "has lorn spon"]),
        ("The zib is able to murv", ["can zib murv"]),
        ("Glorps trens lorns.", ["does glorp tren lorn"]),
        ("Lorns are often trened by glorps.", ["done_by lorn tren glorp"]),
        ("The ones that glorps tren are lorns.", ["does glorp tren lorn"]),
        ("Unlike zibs and kelms, glorps are frant.", ["is glorp frant"]),
        ("Glorps, unlike zibs, are frant.", ["is glorp frant"]),
        ("Glorps are frant, unlike zibs.", ["is glorp frant"]),
        ("Glorps, but not zibs, are frant.", ["is glorp frant"]),
        ("Glorps can murv, but zibs and lorns cannot.", ["can glorp murv"]),
        (
            "Zibs are glorps, and glorps are kelms, so zibs are kelms.",
            ["is_a zib glorp", "is_a glorp kelm", "is_a zib kelm"],
        ),
        ("Since zibs are glorps, zibs are frant.", ["is_a zib glorp", "is zib frant"]),
        ("Zibs, which are a kind of glorp, are frant.", ["is_a zib glorp", "is zib frant"]),
        ("Zibs are not frant, but glorps are dreb.", ["is glorp dreb"]),
        ("Zibs are frant and have spons.", ["is zib frant", "has zib spon"]),
        ("Zibs tren lorns, and glorps can murv.", ["does zib tren lorn", "can glorp murv"]),
    ],
)
def test_a_sentence_is_read(sentence: str, facts: list[str]) -> None:
    assert GRAMMAR.read(sentence) == tuple(map(fact, facts))


@pytest.mark.parametrize(
    "sentence",
    [
        "Zibs are not frant.",
        "No zibs are frant.",
        "Not all zibs are frant.",
        "Some zibs are frant.",
        "Only zibs are frant.",
        "Zibs are never frant.",
        "It is not true that zibs are frant.",
        "Neither zibs nor glorps are frant.",
        "Zibs are more frant than glorps.",
        "Are zibs frant?",
        "What are zibs like?",
        "Zibs that are frant have spons.",
        "If zibs are glorps, zibs are frant.",
        "Wugs are frant.",
        "Zibs are frant things of glorps.",
        "This entry is about zibs.",
        "It is false that zibs are frant, and zibs are glorps.",
        "Zibs are not frant and have spons.",
        "Zibs are frant, but glorps are not and have spons.",
        "Zibs are frant, but glorps do not.",
        "Like glorps, zibs are frant.",
        "Zibs are not always frant.",
    ],
)
def test_what_says_something_else_is_not_read(sentence: str) -> None:
    assert GRAMMAR.read(sentence) == ()


@pytest.mark.parametrize(
    ("sentence", "stated", "denied"),
    [
        ("Zibs are not frant.", [], ["is zib frant"]),
        ("Zibs and lorns cannot murv.", [], ["can zib murv", "can lorn murv"]),
        ("Zibs do not tren lorns.", [], ["does zib tren lorn"]),
        ("Zibs are not trened by kelms.", [], ["done_by zib tren kelm"]),
        ("Zibs are not a kind of kelm.", [], ["is_a zib kelm"]),
        ("Unlike zibs and kelms, glorps are frant.", ["is glorp frant"], ["is zib frant", "is kelm frant"]),
        ("Glorps, but not zibs, are frant.", ["is glorp frant"], ["is zib frant"]),
        ("Glorps have spons, but zibs do not.", ["has glorp spon"], ["has zib spon"]),
        ("Glorps are able to murv, but zibs are not.", ["can glorp murv"], ["can zib murv"]),
        ("Unlike kelms, glorps include zibs.", ["includes glorp zib"], ["includes kelm zib"]),
        ("Zibs are not frant, but glorps are dreb.", ["is glorp dreb"], ["is zib frant"]),
        ("Zibs are frant.", ["is zib frant"], []),
        ("Zibs are not frant, which nobody knows.", [], []),
    ],
)
def test_denials_and_contrasts_are_read(sentence: str, stated: list[str], denied: list[str]) -> None:
    assert GRAMMAR.read(sentence) == tuple(map(fact, stated))
    assert GRAMMAR.denied(sentence) == tuple(map(fact, denied))


@pytest.mark.parametrize("scale", ["tiny", "small"])
def test_wordings_are_read_back(scale: Scale) -> None:
    data = made(scale)
    grammar = SemanticGrammar(data)
    for follows in sorted(closure(data.facts, data.rules))[::5]:
        wordings = grammar.wordings(follows)
        assert len(wordings) >= 4
        assert {grammar.read(w) for w in wordings} == {(follows,)}, follows


@pytest.mark.parametrize(("scale", "seed"), [("tiny", 0), ("tiny", 1), ("small", 0)])
def test_the_checker_finds_nothing(scale: Scale, seed: int) -> None:
    data = made(scale, seed)
    assert check(data, SemanticGrammar(data)) == []


def test_only_denials_and_titles_state_no_fact() -> None:
    grammar = SemanticGrammar(made("small"))
    sentences = [s for d in made("small").documents for s in sentences_of(d) if not s.endswith("?")]
    unread = [s for s in sentences if not grammar.read(s)]
    denials = [s for s in unread if " not " in s or " cannot " in s]
    fillers = [s for s in unread if s.startswith(("This entry", "Much has", "Here is", "More on"))]
    assert len(denials) + len(fillers) == len(unread)
    assert len(denials) / len(sentences) < 0.25
    assert len(fillers) / len(sentences) < 0.05


def test_documents_have_their_size() -> None:
    documents = made("small").documents
    assert len(documents) == 400
    sentences = [len(sentences_of(d)) for d in documents]
    assert min(sentences) >= 4
    assert max(sentences) <= 20
    assert len(set(documents)) == 400


def test_each_split_asks_for_what_it_says() -> None:
    data = made("small")
    trained = {s.fact for s in data.stated}
    held_out = set(data.settings["holdouts"])
    for question in data.questions:
        assert question.fact is not None
        match question.split:
            case "rephrasings":
                assert question.fact in trained
            case "reversals":
                assert question.fact not in trained
                assert mirror(question.fact) in trained
            case "syllogisms":
                assert not {question.fact, mirror(question.fact)} & trained
                assert held_out.isdisjoint(question.fact.arguments)
            case "holdouts":
                assert question.fact.arguments[0] in held_out
    counts = Counter(q.split for q in data.questions)
    assert counts == {"rephrasings": 50, "reversals": 40, "syllogisms": 70, "holdouts": 40}


def test_of_a_held_out_category_only_the_parent_is_trained() -> None:
    data = made("small")
    assert len(data.settings["holdouts"]) == 5
    for name in data.settings["holdouts"]:
        about = [s for s in data.stated if name in s.fact.arguments]
        assert [s.fact.predicate for s in about] == ["is_a"]
        assert sum(name in d.casefold() for d in data.documents) == len(about[0].documents) == 2


def test_wrong_choices_are_true_of_something_else() -> None:
    data = made("small")
    follows = closure(data.facts, data.rules)
    said = {(f.predicate, *f.arguments[1:]) for f in follows}
    for question in data.questions:
        assert len(question.distractors) == 3
        for wrong in question.distractors:
            assert wrong not in follows
            assert (wrong.predicate, *wrong.arguments[1:]) in said


def test_a_rephrased_question_begins_like_no_trained_sentence() -> None:
    data = made("small")
    text = "\n".join(data.documents).casefold()
    for question in data.questions:
        if question.split == "rephrasings":
            assert question.prompt.casefold() not in text


def test_premises_meet_in_context_groups() -> None:
    data = made("small")
    groups = [g for one in related_groups(data, ESTIMATE, 4000, 2) for g in one]
    assert all(r.share >= 0.95 for r in reach(groups, data))


def test_a_seed_makes_the_same_data_again_and_another_seed_other_data() -> None:
    assert make_semantic("tiny", 1) == made("tiny", 1)
    assert made("tiny", 1).documents != made("tiny", 0).documents


def test_the_world_is_a_tree_of_described_categories() -> None:
    whole = world("paper")
    assert len(whole.categories) == len(set(whole.names)) == 110
    assert [c.name for c in whole.categories if not c.parent] == ["thing"]
    by_name = {c.name: c for c in whole.categories}
    for category in whole.categories:
        assert 1 <= len(category.traits) == len(set(category.traits)) <= 6, category.name
        above = by_name.get(category.parent)
        while above:
            assert not set(category.traits) & set(above.traits), category.name
            assert not set(category.relations) & set(above.relations), category.name
            above = by_name.get(above.parent)
        assert all(r.other in by_name and r.other != category.name for r in category.relations), category.name
