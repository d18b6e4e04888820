"""Kept statements and stored answers in; statements that contradict a source or a more probable statement out."""

import math
from dataclasses import replace

import pytest

from axolotl_augft.config.verify import VerifyConfig
from axolotl_augft.judging.read_statements import Inference
from axolotl_augft.judging.rules import Judged, Reason
from axolotl_augft.sources.documents import Document
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.strategies.task import Reading, Task
from axolotl_augft.teacher.answer import Answer, Outcome, TokenChoice
from axolotl_augft.verifying.contradictions import near_pairs
from axolotl_augft.verifying.records import ContradictionRecord
from axolotl_augft.verifying.verifier import Verifier
from tests.support.models import model
from tests.support.requests import NO_REQUEST

SENTENCES = ("Mara Quell mends the pumps.", "Ines Voss keeps all 12 keys.", "Nobody paints the mill.")
TEXT = " ".join(SENTENCES)
LOCAL = Task(NO_REQUEST, "local", Document("0a1b2c3d", TEXT, 0, 0), (TEXT,), sentences=SENTENCES)
GLOBAL = replace(LOCAL, strategy="global", reading=Reading(ends_in_conclusions=True))
SURE = ContradictionRecord(0.8, 40, 40, 0.9, 0.5)


def judged(text, probability=0.9, task=LOCAL, kind="reversal", rejected=None):
    return Judged(task, Inference(text, kind), rejected, probability)


def answer(no: float) -> Answer:
    choices = (TokenChoice("yes", math.log(1 - no)), TokenChoice("no", math.log(no)))
    return Answer(Outcome.ANSWERED, "yes", "length", first_token=choices)


@pytest.fixture
def found(tmp_path):
    """Contradictions, with a store in which the answers to `requests` are put by a function of both sentences."""
    with ResponseStore.opened(tmp_path / "s") as store:
        config = VerifyConfig(method="logprobs", contradictions=True)
        verifier = Verifier(config, model("chat"), store, "en")

        def contradictions(statements, no):
            made = verifier.contradictions(lambda: statements)
            for request in made.requests(statements):
                first = request.prefix.text.removeprefix("First: ").strip()
                second = request.target.removeprefix("Second: ").partition("\n")[0]
                store.put([(request, answer(no(first, second)))])
            return made

        yield contradictions


def test_statements_are_paired_with_near_sentences_and_with_others_about_the_same_names():
    kept = [
        judged("The pumps are mended by Mara Quell."),
        judged("Ines Voss has 12 keys of the mill."),
        judged("Mara Quell paints the pumps."),
        judged("Nobody paints the mill."),
    ]
    pairs = [(n.pair.first, n.pair.second, n.statement, n.other) for n in near_pairs(kept, "en")]
    texts = [j.inference.text for j in kept]
    assert pairs[:2] == [
        ("Mara Quell mends the pumps.", texts[0], 0, None),
        ("Nobody paints the mill.", texts[0], 0, None),
    ]
    assert [p for p in pairs if p[3] is not None] == [(texts[0], texts[2], 0, 2)]
    # What repeats a sentence is not compared with it.
    assert all(p[0] != p[1] for p in pairs)


def test_languages_without_sentences_or_words_have_no_pairs():
    assert list(near_pairs([], "en")) == []
    nothing = replace(LOCAL, target=Document("0", "…", 0, 0), premises=("…",))
    assert list(near_pairs([judged("!!", task=nothing)], "xx")) == []


def test_questions_with_answers_are_not_compared(found):
    pair = Inference("Mara Quell mends no pumps.", "reversal", question="What does Mara Quell mend?")
    statements = [replace(judged(""), inference=pair)]
    (kept,) = found(statements, lambda *_: 0.99).decided(statements, SURE)
    assert kept.rejected is None


def test_what_contradicts_a_source_sentence_goes(found):
    statements = [judged("Mara Quell mends no pumps."), judged("The pumps are mended by Mara Quell.")]
    no = found(statements, lambda first, second: 0.9 if "no pumps" in second and "mends the" in first else 0.1)
    assert [d.rejected for d in no.decided(statements, SURE)] == [Reason.CONTRADICTED, None]


@pytest.mark.parametrize(
    ("probabilities", "sure", "reasons"),
    [
        ((0.9, 0.8), 0.9, (None, Reason.CONTRADICTED)),
        ((0.8, 0.9), 0.9, (Reason.CONTRADICTED, None)),
        ((0.9, 0.9), 0.9, (None, Reason.CONTRADICTED)),
        ((0.9, 0.8), 0.8, (None, None)),
    ],
)
def test_of_two_statements_that_contradict_each_other_the_weaker_goes(found, probabilities, sure, reasons):
    texts = ("Mara Quell is older than the mill.", "Mara Quell is younger than the mill.")
    statements = [judged(text, p) for text, p in zip(texts, probabilities, strict=True)]
    made = found(statements, lambda first, second: sure if (first, second) == texts else 0.1)
    assert tuple(d.rejected for d in made.decided(statements, SURE)) == reasons


def test_a_trace_goes_with_its_conclusion_and_what_is_rejected_is_not_compared(found):
    statements = [
        judged("So Mara Quell paints.", None, GLOBAL, "trace"),
        judged("Mara Quell mends no pumps.", 0.9, GLOBAL, "conclusion"),
        judged("Mara Quell mends not one of the pumps.", 0.9, rejected=Reason.ECHO),
    ]
    made = found(statements, lambda first, second: 0.9)
    # Two planted slips, a pair of true sentences, and the conclusion beside two sentences.
    assert len(list(made.requests(statements))) == 5
    decided = [d.rejected for d in made.decided(statements, SURE)]
    assert decided == [Reason.CONTRADICTED, Reason.CONTRADICTED, Reason.ECHO]
    unsure = replace(SURE, threshold=None)
    assert [d.rejected for d in made.decided(statements, unsure)] == [None, None, Reason.ECHO]


NEIGHBOURS = [{f"Mara Quell mends all {i} pumps.", f"Ines Voss keeps all {i} keys."} for i in range(30)]


def documents(n):
    """One statement about each of some documents, which hold two sentences that a slip makes false."""
    for i in range(n):
        sentences = (f"Mara Quell mends all {i} pumps.", f"Ines Voss keeps all {i} keys.")
        text = " ".join(sentences)
        task = Task(NO_REQUEST, "local", Document(f"{i:08}", text, 0, i), (text,), sentences=sentences)
        yield judged(f"The pump {i} is mended.", task=task)


@pytest.mark.parametrize(
    ("count", "no", "threshold", "share"),
    [
        (30, lambda first, second: 0.3 if {first, second} in NEIGHBOURS else 0.9, 0.3, 1.0),
        (30, lambda first, second: 0.5, None, None),
        (5, lambda first, second: 0.3 if {first, second} in NEIGHBOURS else 0.9, None, None),
    ],
)
def test_how_sure_a_verifier_must_be_is_found_by_planted_slips(found, count, no, threshold, share):
    record = found(list(documents(count)), no).record()
    assert (record.threshold, record.found) == (threshold and pytest.approx(threshold), share)
