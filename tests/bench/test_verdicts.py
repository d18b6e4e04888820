"""Statements in the semantic wording, template or free: what is judged right, wrong or unread, and how well."""

import orjson
import pytest

from axolotl_augft.bench.audit.accuracy import known_sets, reading_accuracy
from axolotl_augft.bench.audit.free_reading import FreeReader, prefix, read_claims, response_format
from axolotl_augft.bench.audit.verdicts import Judge
from axolotl_augft.bench.datasets.dataset import BenchData, Stated
from axolotl_augft.bench.datasets.facts import Fact
from axolotl_augft.bench.datasets.making import grammar_of
from axolotl_augft.bench.datasets.reading import Reader, SentenceReading
from axolotl_augft.bench.datasets.semantic.facts import RULES

FACTS = [
    *("is_a zib glorp", "is_a lorn glorp", "is_a wub kelm", "is glorp frant", "has glorp spon", "can zib murv"),
    *("does zib tren wub", "is lorn dreb"),
]


def fact(text):
    return Fact.of(text.split())


DATA = BenchData("semantic", "tiny", 0, (), (), tuple(Stated(fact(f), ()) for f in FACTS), RULES, "By hand.")
GRAMMAR = grammar_of(DATA)


def claims(*rows):
    names = ("quantifier", "who", "relation", "whom", "denied")
    return orjson.dumps({"claims": [dict(zip(names, row, strict=True)) for row in rows]}).decode()


@pytest.mark.parametrize(
    ("text", "verdict", "facts"),
    [
        ("Zibs are frant.", "right", ["is zib frant"]),
        ("All zibs are frant, but lorns are not.", "wrong", []),
        ("All zibs are frant, but wubs are not.", "right", ["is zib frant"]),
        ("Unlike lorns, zibs are frant.", "wrong", []),
        ("Unlike lorns, zibs can murv.", "right", ["can zib murv"]),
        ("Zibs do not have spons.", "wrong", []),
        ("Wubs do not have spons.", "right", []),
        ("Lorns are dreb, while wubs are frant.", "wrong", []),
        ("Zibs tren wubs, and they sleep.", "unread", []),
        ("Zibs are frant. They sleep.", "unread", ["is zib frant"]),
        ("Zibs are frant. Wubs are frant.", "wrong", ["is zib frant"]),
        ("Zibs are frant, so lorns cannot be.", "unread", []),
        ("They sleep.", "unread", []),
        ("", "unread", []),
    ],
)
def test_what_the_grammar_reads_is_judged_sentence_by_sentence(text, verdict, facts):
    found = Judge(DATA, GRAMMAR, Reader(GRAMMAR)).judge(text)
    assert (found.verdict, found.facts) == (verdict, frozenset(map(fact, facts)))


FREE = "You will find no zib that is not frant."


@pytest.mark.parametrize(
    ("answer", "stated", "denied"),
    [
        (claims(("all", "zibs", "are", "frant", False)), ["is zib frant"], []),
        (claims(("all", "zibs", "are", "frant", True)), [], ["is zib frant"]),
        (claims(("no", "zibs", "are", "frant", False)), [], ["is zib frant"]),
        (
            claims(("all", "Zibs", "are a kind of", "glorps", False), ("all", "wubs", "can", "murv", True)),
            ["is_a zib glorp"],
            ["can wub murv"],
        ),
        (claims(("all", "zibs", "are trened by", "lorns", False)), ["done_by zib tren lorn"], []),
        (
            claims(("all", "zibs", "have", "frant", False), ("no", "wubs", "are", "murv", False)),
            ["is zib frant"],
            ["can wub murv"],
        ),
        (claims(("some", "zibs", "are", "frant", False)), [], []),
        (claims(("no", "zibs", "are", "frant", True)), [], []),
        (claims(("all", "zibs", "are", "frant", False), ("all", "they", "can", "murv", False)), [], []),
        ('{"claims": []}', [], []),
        ('{"claims": [{"who": "zibs"}]}', [], []),
        ("Zibs are frant.", [], []),
    ],
)
def test_a_model_s_claims_become_facts_or_nothing(answer, stated, denied):
    reader = FreeReader.taught(GRAMMAR, lambda sentences: dict.fromkeys(sentences, answer), [FREE])
    expected = SentenceReading(FREE, tuple(map(fact, stated)), tuple(map(fact, denied)))
    assert reader.sentences(FREE) == (expected,)


def test_the_model_is_asked_only_about_what_the_grammar_does_not_understand():
    asked = []

    def ask(sentences):
        asked.append(list(sentences))
        return dict.fromkeys(sentences, claims(("all", "zibs", "can", "murv", False)))

    reader = FreeReader.taught(GRAMMAR, ask, [f"Zibs are frant. {FREE}", FREE])
    assert asked == [[FREE]]
    assert [r.stated for r in reader.sentences(f"Zibs are frant. {FREE}")] == [
        (fact("is zib frant"),),
        (fact("can zib murv"),),
    ]


def test_a_question_claims_nothing():
    asked = []
    FreeReader.taught(GRAMMAR, lambda some: asked.extend(some) or {}, ["Are zibs frant? Who knows about “zibs”?"])
    assert asked == []


def test_the_answer_may_use_the_relations_of_the_data_set_only():
    schema = response_format(GRAMMAR)["response_format"]["json_schema"]["schema"]
    relations = schema["properties"]["claims"]["items"]["properties"]["relation"]["enum"]
    assert relations == ["are", "have", "can", "are a kind of", "include", "tren", "are trened by"]
    assert "Relations: are, have, can, are a kind of, include, tren, are trened by\n" in prefix(GRAMMAR).text


@pytest.mark.parametrize("name", ["semantic", "reversals", "syllogisms"])
def test_every_worked_example_is_an_answer_that_can_be_read(name):
    examples = prefix(grammar_of(known_sets()[name].data)).text.split("Sentence: ")[1:]
    assert len(examples) >= 2
    assert all(read_claims(example.split("\n")[1]) for example in examples)


def test_200_statements_are_known_and_about_half_are_true():
    statements = [s for known in known_sets().values() for s in known.statements]
    assert len({s.text for s in statements}) == len(statements) == 200
    assert 90 <= sum(s.is_right for s in statements) <= 110


@pytest.mark.parametrize(
    ("name", "statements", "agreed"), [("semantic", 120, 18), ("reversals", 39, 4), ("syllogisms", 41, 8)]
)
def test_the_grammar_reads_little_of_free_phrasing_and_nothing_wrongly(name, statements, agreed):
    found = reading_accuracy(name, lambda grammar, texts: Reader(grammar))
    assert (found.statements, found.agreed, found.passed, found.blamed) == (statements, agreed, 0, 0)
    assert found.unread == statements - agreed


def test_a_reader_that_takes_everything_for_one_true_claim_is_found_out():
    def reader(grammar, texts):
        return FreeReader.taught(
            grammar, lambda some: dict.fromkeys(some, claims(("all", "zibs", "are", "frant", False))), texts
        )

    found = reading_accuracy("semantic", reader)
    assert (found.agreed, found.passed, found.blamed, found.unread) == (66, 48, 0, 6)
    assert found.line == (
        "Reading accuracy on 120 statements in free phrasing with known truth: 0.550 judged as they are, 0.050 unread; "
        "48 false ones taken for right, 0 right ones for wrong."
    )


def test_of_other_data_sets_no_statement_is_known():
    assert reading_accuracy("process", lambda grammar, texts: Reader(grammar)) is None
