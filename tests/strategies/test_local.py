"""What a local request is about, and which worked examples it shows, by the teacher's API."""

from dataclasses import replace

import pytest

from axolotl_augft.config.augment import LocalAugment
from axolotl_augft.sources.documents import Document, document_id
from axolotl_augft.strategies.make import make_strategy
from axolotl_augft.text.tokens import TokenCounter
from tests.strategies.test_prompt_data import Memory, teacher

SENTENCES = ("Cats are more curious than dogs.", "All pumps carry a label.", "The Heron is a pump.")
DOCUMENT = Document(document_id(" ".join(SENTENCES)), " ".join(SENTENCES), 0, 0)
ONE_BY_ONE = [SENTENCES[:1], SENTENCES[1:2], SENTENCES[2:]]


def strategy(api, **settings):
    return make_strategy(LocalAugment(**settings), teacher(api), [DOCUMENT], "en", Memory(), "m")


def prefixes(tasks):
    return {task.request.prefix.text for task in tasks}


@pytest.mark.parametrize(
    ("api", "settings", "asked"),
    [
        ("chat", {}, ONE_BY_ONE),
        ("completions", {}, [SENTENCES]),
        ("chat", {"unit_tokens": 96}, [SENTENCES]),
        ("completions", {"unit_tokens": 1}, ONE_BY_ONE),
        ("chat", {"unit_tokens": 15}, [SENTENCES[:2], SENTENCES[2:]]),
    ],
)
def test_a_request_is_about_one_sentence_in_chat_and_about_96_tokens_else(api, settings, asked):
    assert [task.sentences for task in strategy(api, **settings).tasks()] == asked


def test_sentences_are_not_counted_where_each_stands_alone():
    def count_all(texts):
        raise AssertionError(f"counted {len(texts)} sentences")

    asked = replace(teacher("chat"), tokens=TokenCounter(count_all, exact=True))
    made = make_strategy(LocalAugment(), asked, [DOCUMENT], "en", Memory(), "m").tasks()
    assert [task.sentences for task in made] == ONE_BY_ONE


@pytest.mark.parametrize(
    ("api", "settings", "different"),
    [
        ("chat", {}, 1),
        ("completions", {"unit_tokens": 1}, 3),
        ("chat", {"example_choice": "fitting"}, 3),
        ("completions", {"unit_tokens": 1, "example_choice": "fixed"}, 1),
    ],
)
def test_all_requests_show_the_same_examples_in_chat_and_fitting_ones_else(api, settings, different):
    assert len(prefixes(strategy(api, **settings).tasks())) == different


@pytest.mark.parametrize(
    ("api", "settings", "different"),
    [
        ("chat", {}, 3),
        ("completions", {}, 1),
        ("chat", {"example_choice": "fitting"}, 1),
        ("completions", {"example_choice": "fixed"}, 3),
    ],
)
def test_asking_again_shows_examples_of_the_other_choice(api, settings, different):
    own = strategy(api, kinds=["reversal"], unit_tokens=1, **settings)
    again = list(own.again({DOCUMENT.place: (0, 1, 2)}))
    assert [task.sentences for task in again] == ONE_BY_ONE
    assert len(prefixes(again)) == different
    assert len(prefixes(own.tasks())) == 4 - different


def test_asking_again_is_about_missed_sentences_one_kind_at_a_time():
    own = strategy("chat", kinds=["reversal", "rephrasing"])
    again = [(task.sentences, task.first_sentence, task.kind) for task in own.again({DOCUMENT.place: (1,)})]
    assert again == [(SENTENCES[1:2], 1, "reversal"), (SENTENCES[1:2], 1, "rephrasing")]
    assert list(own.again({(0, 7): (0,)})) == []
