from dataclasses import replace

import pytest

from axolotl_augft.judging.read_statements import Inference, read_inferences, says_none
from axolotl_augft.sources.documents import Document
from axolotl_augft.strategies.task import Reading, Task
from axolotl_augft.teacher.answer import Answer, Outcome
from axolotl_augft.teacher.request import Prefix, Request, Sampling

REQUEST = Request("t", "chat", Prefix("", ""), "", Sampling(0, None, 9, (), 1), 0)
DOCUMENT = Document("00000000", "A is B. C is D.", 0, 0)


LINES = Reading()


def task(sentences=("A is B.", "C is D."), first=0, kind="statement", reading=LINES):
    return Task(REQUEST, "local", DOCUMENT, sentences, sentences, first, kind=kind, reading=reading)


def read(text, reason="stop", **kwargs):
    return read_inferences(task(**kwargs), Answer(Outcome.ANSWERED, text, reason))


TRACE = Reading(ends_in_conclusions=True)
S, R = "statement", "reversal"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("[1] reversal: B is A.", (R, 0, "B is A.")),
        ("[2] Reversal: D is C.", (R, 1, "D is C.")),
        ("- [2] **rephrasing**: C equals D.", ("rephrasing", 1, "C equals D.")),
        ("* B is A.", (S, None, "B is A.")),
        ("3. B is A.", (S, None, "3. B is A.")),
        ("2) reversal - B is A.", (R, None, "B is A.")),
        ("(1) Consequence 1: There is a B.", ("consequence", 0, "There is a B.")),
        ('"B is A."', (S, None, "B is A.")),
        ("**B is A.**", (S, None, "B is A.")),
        ("[7] reversal: B is A.", (R, None, "B is A.")),
        ("• “B is A.”", (S, None, "B is A.")),
        ("1990 was a good year.", (S, None, "1990 was a good year.")),
        ('"A" is before "B".', (S, None, '"A" is before "B".')),
    ],
)
def test_a_line_is_read_leniently(line, expected):
    (inference,) = read(line)
    assert (inference.kind, inference.sentence, inference.text) == expected


@pytest.mark.parametrize(
    "text",
    [
        '["B is A.", "D is C."]',
        '```json\n["B is A.", "D is C."]\n```',
        '{"statements": [{"statement": "B is A."}, {"text": "D is C."}]}',
        "B is A.\n\nD is C.\n",
        "1. B is A.\n2. D is C.",
    ],
)
def test_lists_of_all_sorts(text):
    assert [i.text for i in read(text)] == ["B is A.", "D is C."]


def test_json_items_name_sentence_and_kind():
    assert read('[{"sentence": 2, "kind": "reversal", "text": "D is C."}]') == [Inference("D is C.", "reversal", 1)]


def test_one_sentence_needs_no_number_and_counts_in_its_document():
    assert read("B is A.", sentences=("A is B.",), first=4, kind="reversal") == [Inference("B is A.", "reversal", 4)]


def test_only_the_last_line_of_a_cut_answer_is_cut():
    assert [i.cut for i in read("B is A.\nD is", "length")] == [False, True]


def test_trace_and_conclusions():
    text = "Reasoning: A is B,\nand so on.\n\n**Conclusions:**\n- B is A.\n- D is C."
    both = read(text, sentences=(), reading=TRACE)
    assert [(i.kind, i.text) for i in both] == [
        ("trace", "A is B,\nand so on."), ("conclusion", "B is A."), ("conclusion", "D is C."),
    ]  # fmt: skip
    assert [i.kind for i in read(text, sentences=(), reading=replace(TRACE, keep="trace"))] == ["trace"]
    assert [i.kind for i in read(text, sentences=(), reading=replace(TRACE, keep="conclusions"))] == ["conclusion"] * 2


def test_an_answer_without_the_mark_is_all_trace():
    assert [(i.kind, i.cut) for i in read("A is B, so", "length", sentences=(), reading=TRACE)] == [("trace", True)]


def test_nothing_comes_of_nothing():
    assert read(" \n ") == []


def test_a_model_that_goes_on_with_sentences_of_its_own():
    text = (
        "[1] rephrasing: Cats nap.\n[1] reversal: It is cats that nap.\n\n[1] Cats bark.\nStatements:\n"
        "[1] rephrasing: Cats do bark.\n[1] reversal: It is cats that bark."
    )
    found = read_inferences(task(("Cats sleep.",)), Answer(Outcome.ANSWERED, text, "stop"))
    assert [(i.text, i.stray) for i in found] == [
        ("Cats nap.", False),
        ("It is cats that nap.", False),
        ("Cats bark.", True),
        ("Cats do bark.", True),
        ("It is cats that bark.", True),
    ]


def test_a_sentence_repeated_before_the_statements_about_it_ends_nothing():
    text = "[1] Cats sleep.\nrephrasing: Cats nap.\n[2] Owls hunt.\nrephrasing: Owls prey."
    found = read_inferences(task(("Cats sleep.", "Owls hunt.")), Answer(Outcome.ANSWERED, text, "stop"))
    assert [i.text for i in found if not i.stray] == ["Cats sleep.", "Cats nap.", "Owls hunt.", "Owls prey."]


@pytest.mark.parametrize(
    ("text", "none"),
    [
        ("Conclusions: none", True),
        ("It stands alone.\nConclusions:\n- none", True),
        ("**Conclusions:** None.", True),
        ("Conclusions: none\n- Tin is a metal.", True),
        ("Conclusions:\n- None of the pumps is blue.", False),
        ("Conclusions:\n- Tin is a metal.\n- none", False),
        ("none", False),
    ],
)
def test_an_honest_none(text, none):
    assert says_none(Answer(Outcome.ANSWERED, text, "stop")) is none
