"""What is asked about a sentence, and which answers are right."""

import pytest

from axolotl_augft.probing.questions import Question, Questions, is_right

CONTEXT = "People in Paris know Mara Quell and the Heron."


@pytest.mark.parametrize(
    ("sentence", "asked"),
    [
        (
            "Mara Quell left Paris in 1901.",
            [
                ("___ left Paris in 1901.", "Mara Quell"),
                ("Mara Quell left ___ in 1901.", "Paris"),
                ("Mara Quell left Paris in ___.", "1901"),
            ],
        ),
        ("In Paris, Mara Quell left Paris.", [
            ("In ___, Mara Quell left ___.", "Paris"), ("In Paris, ___ left Paris.", "Mara Quell"),
        ]),
        # A name that the rest of the sentence gives away is not asked for.
        ("The Paris Gazette is printed in Paris.", [("The ___ is printed in Paris.", "Paris Gazette")]),
        ("Founded by Mara Quell", []),
        ("Tin is a metal.", []),
        ("玛拉是港务长。", []),
    ],
)  # fmt: skip
def test_each_name_is_asked_for_in_turn(sentence, asked):
    questions = Questions([sentence, CONTEXT, "The weather is the same."], 4)
    assert [(q.sentence, q.name) for q in questions.about(sentence)] == asked


def test_of_many_names_some_are_asked_for_that_stand_apart():
    sentence = "The rooms are Alba, Birk, Cork, Dorn, Elba and Fano."
    questions = Questions([sentence], 3)
    assert [q.name for q in questions.about(sentence)] == ["Alba", "Cork", "Elba"]


@pytest.mark.parametrize(
    ("name", "answer", "right"),
    [
        ("Paris", "Paris", True),
        ("Paris", " The city of paris.\n", True),
        ("Paris", "\n\nParis\nRome", True),
        ("Paris", "Rome\nParis", False),
        ("Paris", "Parish", False),
        ("Mara Quell", "Mara", False),
        ("Mara", "Mara Quell", True),
        ("1,204", "about 1,204 crowns", True),
        ("1,204", "1,2045", False),
        ("Paris", "", False),
    ],
)
def test_an_answer_is_right_if_its_first_line_says_the_name(name, answer, right):
    assert is_right(Question("___ is it.", name), answer) is right
