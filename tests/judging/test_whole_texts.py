"""Answers that are one text: read into sentences, judged one by one, and put together again."""

import pytest

from axolotl_augft.judging.pipeline import with_whole_texts
from axolotl_augft.judging.read_statements import Inference, read_text
from axolotl_augft.judging.rules import Judged, Reason, judge_sentence
from axolotl_augft.sources.documents import Document
from axolotl_augft.strategies.task import Reading, Task
from axolotl_augft.teacher.answer import Answer, Outcome
from tests.support.requests import NO_REQUEST

SOURCE = "The lamp was built in 1901. It burned whale oil. Mara Quell keeps it."
DOCUMENT = Document("d", SOURCE, 0, 0)
TASK = Task(NO_REQUEST, "study", DOCUMENT, (SOURCE,), kind="summary", reading=Reading(is_one_text=True))


def answer(text, was_cut=False):
    return Answer(Outcome.ANSWERED, text, "length" if was_cut else "stop")


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One is here. Two follows.\n\nThree ends.", [(0, "One is here."), (0, "Two follows."), (2, "Three ends.")]),
        ("# The lamp\n\n**One** is here.\n---\n- Two follows.", [(2, "One is here."), (4, "Two follows.")]),
        ("```\n1. One is here.\n2. Two follows.\n```", [(0, "One is here."), (1, "Two follows.")]),
        ("<think>Hm.</think>\nOne is here.", [(0, "One is here.")]),
        (
            "Ana: Who built it? Tell me.\nBen: Mara built it. Now it is old.",
            [(0, "Ana: Who built it? Tell me."), (1, "Ben: Mara built it. Now it is old.")],
        ),
        (
            "Question: Who built it?\nAnswer: Mara built it.\n\nQuestion: When?",
            [(1, "Question: Who built it?\nAnswer: Mara built it.")],
        ),
        (
            "Why is it dark? The lamp is out. So we wait.",
            [(0, "Why is it dark?\nThe lamp is out."), (0, "So we wait.")],
        ),
        ("谁建了它？玛拉建了它。", [(0, "谁建了它？\n玛拉建了它。")]),
        ("", []),
    ],
)
def test_a_text_is_read_into_sentences(text, sentences):
    assert [(s.line, s.text) for s in read_text(TASK, answer(text), "en")] == sentences


def test_an_unfinished_end_is_left_out():
    assert [s.text for s in read_text(TASK, answer("One is here. Two fol", True), "en")] == ["One is here."]
    assert read_text(TASK, answer("One is he", True), "en") == []


def test_what_is_verified_has_no_labels():
    assert Inference("Ana: Who built it?\nBen: Mara did.", "dialogue", line=1).stated == "Who built it?\nMara did."
    assert Inference("Ana: Who built it?", "statement").stated == "Ana: Who built it?"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("The lamp was built in 1901.", None),
        ("Ben: It is old.", None),
        ("Question: Who built it?\nAnswer: Mara built it.", None),
        ("Ana: Who built it?\nBen: Mara", Reason.MALFORMED),
        ("Summary of the lamp", Reason.MALFORMED),
        ("Sure! Here is the summary.", Reason.CHATTER),
        ("As an AI I cannot know.", Reason.REFUSAL),
        ("The document is about a lamp.", Reason.LABEL_LEAK),
        ("Both documents speak of lamps.", Reason.LABEL_LEAK),
        ("It ends here.<|im_end|>.", Reason.MALFORMED),
    ],
)
def test_a_sentence_is_judged_by_its_form(text, reason):
    assert judge_sentence(TASK, Inference(text, "summary")) == reason


@pytest.mark.parametrize(("check_names", "reason"), [(True, Reason.UNSUPPORTED), (False, None)])
def test_a_sentence_with_a_foreign_name_goes_where_names_are_checked(check_names, reason):
    assert judge_sentence(TASK, Inference("It was built by Napoleon.", "summary"), check_names) == reason


def sentences(*judged):
    return [Judged(TASK, Inference(text, "summary", line=line), reason, p) for line, text, reason, p in judged]


OWN, NEXT, LAST = "A lamp has stood here since 1901.", "It once burned oil.", "Its keeper is Mara Quell."


@pytest.mark.parametrize(
    ("judged", "found"),
    [
        (
            [(0, OWN, None, 0.9), (0, NEXT, None, 0.7), (2, LAST, None, 0.8)],
            [(f"{OWN} {NEXT}\n{LAST}", None, 0.7)],
        ),
        (
            [(0, OWN, None, 0.9), (0, NEXT, Reason.UNSUPPORTED, 0.1), (2, LAST, None, 0.8)],
            [(f"{OWN}\n{LAST}", None, 0.8), (NEXT, Reason.UNSUPPORTED, 0.1)],
        ),
        (
            [(0, OWN, Reason.UNSUPPORTED, 0.2), (0, NEXT, None, 0.9), (0, LAST, Reason.UNSUPPORTED, 0.1)],
            [(f"{OWN} {NEXT} {LAST}", Reason.UNSUPPORTED, 0.9)],
        ),
        (
            [(0, "The lamp was built in 1901.", None, None), (0, "It burned whale oil.", None, None),
             (0, OWN, None, None)],
            [(f"The lamp was built in 1901. It burned whale oil. {OWN}", Reason.ECHO, None)],
        ),
        ([(0, OWN, None, None)] * 3, [(f"{OWN} {OWN} {OWN}", Reason.REPETITION, None)]),
    ],
)  # fmt: skip
def test_a_text_is_what_is_left_of_its_sentences(judged, found):
    made = with_whole_texts(sentences(*judged))
    assert [(j.inference.text, j.rejected, j.probability) for j in made] == found


def test_other_inferences_pass_as_they_are():
    others = [Judged(TASK, Inference("One.", "rephrasing"), None), Judged(TASK, Inference("", "answer"), Reason.EMPTY)]
    assert list(with_whole_texts(others)) == others
