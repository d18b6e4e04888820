"""What `strategy: cloze` makes of sentences."""

import pytest

from axolotl_augft.config.augment import ClozeAugment
from axolotl_augft.sources.documents import Document, document_id
from axolotl_augft.strategies.make import make_strategy
from tests.strategies.test_prompt_data import Memory, teacher

CONTEXT = "People in Paris know Mara Quell and the Heron."


def strategy(*texts, **settings):
    documents = [Document(document_id(text), text, 0, row) for row, text in enumerate(texts)]
    return make_strategy(ClozeAugment(**settings), teacher("chat"), documents, "en", Memory(), "m")


def written(text, **settings):
    made = strategy(text, CONTEXT, **settings)
    return [(t.kind, t.first_sentence, line) for t in made.tasks() if t.target.row == 0 for line in t.written]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (
            "Uriah Hawthorne is the composer of Abyssal Melodies.",
            [
                ("blank", 0, "___ is the composer of Abyssal Melodies: Uriah Hawthorne"),
                ("reversed", 0, "Abyssal Melodies of composer the is Uriah Hawthorne"),
            ],
        ),
        (
            "She is tall. In 1901, Mara Quell left Paris for good; Paris forgot her!",
            [
                ("blank", 1, "In ___, Mara Quell left Paris for good; Paris forgot her: 1901"),
                ("blank", 1, "In 1901, ___ left Paris for good; Paris forgot her: Mara Quell"),
                ("blank", 1, "In 1901, Mara Quell left ___ for good; ___ forgot her: Paris"),
                ("reversed", 1, "her forgot Paris good for Paris left Mara Quell 1901 In"),
            ],
        ),
        (
            "It has 3 rules and 3.5 pages for each guest.",
            [
                ("blank", 0, "It has ___ rules and 3.5 pages for each guest: 3"),
                ("blank", 0, "It has 3 rules and ___ pages for each guest: 3.5"),
                ("reversed", 0, "guest each for pages 3.5 and rules 3 has It"),
            ],
        ),
        ("The lamp was made in Paris.", []),
        ("All pumps carry a label.", []),
        ("Paris, France", []),
        (
            "Paris liegt nördlich von Trier {sic}.",
            [
                ("blank", 0, "___ liegt nördlich von Trier {sic}: Paris"),
                ("blank", 0, "Paris liegt nördlich von ___ {sic}: Trier"),
                ("reversed", 0, "sic Trier von nördlich liegt Paris"),
            ],
        ),
    ],
)
def test_each_name_in_turn_is_the_last_thing_said(text, rows):
    assert written(text) == rows


def test_kinds_blank_and_form_can_be_set():
    rows = written(
        "Mara Quell is the harbour master.", kinds=["blank"], blank="…", form="{sentence}\n({sentence}) = {name}"
    )
    assert rows == [("blank", 0, "… is the harbour master\n(… is the harbour master) = Mara Quell")]


def test_the_plan_counts_statements_and_sentences_and_sends_nothing():
    made = strategy("Mara Quell is the harbour master of Port Ennis. All pumps carry a label.")
    assert list(made.in_sending_order()) == []
    assert made.scope(0) == "2 statements made of 1 sentences, no teacher needed"
    assert list(made.warnings()) == []


@pytest.mark.parametrize("text", ["All pumps carry a label.", "水泵都有标签。", "The lamp was made in Paris."])
def test_a_source_without_names_to_turn_by_is_warned_of(text):
    (warning,) = strategy(text).warnings()
    assert warning.startswith("cloze writes nothing: no sentence has a name or number that is not its last word")
