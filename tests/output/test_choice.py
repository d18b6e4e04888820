"""Which accepted statements of a source row are trained on, if there may be only so many."""

from dataclasses import replace

import pytest

from axolotl_augft.judging.read_statements import Inference
from axolotl_augft.judging.rules import Judged
from axolotl_augft.output.augmented import choose_statements
from axolotl_augft.sources.documents import Document
from axolotl_augft.strategies.task import Task
from tests.support.requests import NO_REQUEST

DOCUMENT = Document("0a1b2c3d", "Cats nap. Owls hunt.", 0, 0)
LOCAL = Task(NO_REQUEST, "local", DOCUMENT, ("Cats nap.", "Owls hunt."), sentences=("Cats nap.", "Owls hunt."))
GLOBAL = Task(NO_REQUEST, "global", DOCUMENT, (DOCUMENT.text,))


def statement(text, kind="reversal", sentence=0, probability=None, task=LOCAL):
    return Judged(task, Inference(text, kind, sentence), None, probability)


KEPT = [
    statement("a", probability=0.7),
    statement("b", probability=0.9),
    statement("c", "rephrasing", probability=0.8),
    statement("d", sentence=1, probability=0.6),
    statement("e", "conclusion", None, 0.5, GLOBAL),
    statement("f", "conclusion", None, 0.95, GLOBAL),
]


@pytest.mark.parametrize(
    ("most", "chosen"),
    [(1, "f"), (2, "bf"), (3, "bef"), (4, "bcef"), (5, "bcdef"), (6, "abcdef"), (None, "abcdef")],
)
def test_strategies_take_turns_and_the_most_probable_of_each_kind_and_sentence_comes_first(most, chosen):
    assert "".join(j.inference.text for j in choose_statements(KEPT, most, seed=1)) == chosen


@pytest.mark.parametrize(("most", "chosen"), [(1, "ad"), (3, "adf")])
def test_what_a_person_brought_in_is_always_chosen(most, chosen):
    kept = [replace(j, brought_in=True) if j.inference.text in "ad" else j for j in KEPT]
    assert "".join(j.inference.text for j in choose_statements(kept, most, seed=1)) == chosen


def test_without_probabilities_a_seed_decides():
    kept = [statement(text) for text in "abcdefgh"]
    chosen = {"".join(j.inference.text for j in choose_statements(kept, 3, seed)) for seed in range(8)}
    assert len(chosen) > 1 and all(len(one) == 3 for one in chosen)
