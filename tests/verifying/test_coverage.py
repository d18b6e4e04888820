"""Kept statements in, the sentences that they are about out."""

import pytest

from axolotl_augft.judging.read_statements import Inference
from axolotl_augft.judging.rules import Judged, Reason
from axolotl_augft.sources.documents import Document
from axolotl_augft.strategies.task import Reading, Task
from axolotl_augft.verifying.coverage import CoverageCounter, missed_sentences, sentence_of
from axolotl_augft.verifying.records import Coverage
from tests.support.requests import NO_REQUEST

SENTENCES = ("Owls hunt at night.", "Cats sleep all day.", "Nessa Quill feeds both of them.")
DOCUMENT = Document("0a1b2c3d", " ".join(SENTENCES), 0, 4)
FIRST = Task(NO_REQUEST, "local", DOCUMENT, SENTENCES[:2], sentences=SENTENCES[:2])
LAST = Task(NO_REQUEST, "local", DOCUMENT, SENTENCES[2:], sentences=SENTENCES[2:], first_sentence=2)
GLOBAL = Task(NO_REQUEST, "global", DOCUMENT, SENTENCES, reading=Reading(ends_in_conclusions=True))


def judged(task, text, kind="reversal", sentence=None, rejected=None):
    return Judged(task, Inference(text, kind, sentence), rejected)


@pytest.mark.parametrize(
    ("task", "text", "named", "sentence"),
    [
        (FIRST, "By night the owls hunt.", None, 0),
        (FIRST, "All day long cats sleep.", None, 1),
        (FIRST, "By night the owls hunt.", 1, 1),
        (LAST, "Both are fed by Nessa Quill.", None, 2),
        (GLOBAL, "Owls do not meet cats at night.", None, None),
    ],
)
def test_the_sentence_that_a_statement_is_about(task, text, named, sentence):
    assert sentence_of(judged(task, text, sentence=named)) == sentence


def test_coverage_by_kind():
    counter = CoverageCounter()
    kept = [
        judged(FIRST, "By night owls hunt.", "reversal", 0),
        judged(FIRST, "Owls look for prey at night.", "rephrasing", 0),
        judged(FIRST, "At night owls look for prey.", "rephrasing", 0),
        judged(LAST, "Both are fed by Nessa Quill.", "reversal", 2),
        judged(GLOBAL, "Nessa Quill feeds night hunters.", "conclusion"),
    ]
    everything = [*kept, judged(FIRST, "Cats.", "reversal", 1, Reason.UNSUPPORTED)]
    assert counter.add(everything, kept) == (1,)
    assert counter.coverage() == Coverage(3, {"any": 2, "rephrasing": 1, "reversal": 2}, documents=1, concluded=1)


def test_a_trace_is_no_conclusion():
    counter = CoverageCounter()
    trace = [judged(GLOBAL, "Owls hunt, so …", "trace")]
    assert counter.add(trace, trace) == ()
    assert counter.coverage() == Coverage(0, {"any": 0}, documents=1, concluded=0)


def test_missed_sentences_of_each_document():
    other = Document("1a1b2c3d", "Pumps are blue.", 1, 0)
    task = Task(NO_REQUEST, "local", other, ("Pumps are blue.",), sentences=("Pumps are blue.",))
    stream = [
        judged(FIRST, "x", sentence=0, rejected=Reason.ECHO),
        judged(FIRST, "y", sentence=1),
        judged(LAST, "z", sentence=2, rejected=Reason.EMPTY),
        judged(task, "Blue are the pumps.", sentence=0),
    ]
    assert missed_sentences(stream) == {(0, 4): (0, 2)}


OPENING, SENTENCE = "The Lantern Room stands in Port Ennis.", "It was built in 1901 by Mara Quell."


@pytest.mark.parametrize(
    ("question", "answer", "missed"),
    [
        ("Who built the Lantern Room?", "Mara Quell", ()),
        ("When was the Lantern Room built?", "in 1901", ()),
        ("Where does the Lantern Room stand?", "The Lantern Room stands in Port Ennis.", (1,)),
        (None, "The Lantern Room stands in Port Ennis.", ()),
    ],
)
def test_a_question_about_the_sentences_before_covers_nothing(question, answer, missed):
    target = Document("d", f"{OPENING} {SENTENCE}", 0, 0)
    task = Task(NO_REQUEST, "local", target, (OPENING, SENTENCE), sentences=(SENTENCE,), first_sentence=1)
    judged = Judged(task, Inference(answer, "rephrasing", 1, question=question), None)
    assert CoverageCounter().add([judged], [judged]) == missed
