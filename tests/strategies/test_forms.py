import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from axolotl_augft.strategies.worked_examples import forms
from axolotl_augft.strategies.worked_examples.forms import FormIndex, form_tokens
from axolotl_augft.strategies.worked_examples.pool import load_pool
from axolotl_augft.text.bm25 import Bm25

INDEXED = [e.text for e in load_pool(None)]
INDEX = FormIndex(INDEXED)
PLAIN = Bm25([form_tokens(t) for t in INDEXED])
WORDS = [
    *("the", "The", "Most", "Mara", "Quell", "is", "than", "2", "12th", "don’t", "Dov's", "“", '"', "valve.", "(The"),
    *(",", "Zzz", "ÉTÉ", "𝐀b", "ŉ", "-", "No", "older", "\u2003", "lamp\x1fblinks", "水泵", "«A b»", "_x"),
]


def test_form_masks_names_and_numbers():
    tokens = form_tokens("The Tarn 2 is lighter than Old Bess.")
    assert tokens[:8] == ["the", "<name>", "<number>", "is", "lighter", "than", "<name>", "."]
    assert form_tokens("Mara Quell leads.")[:3] == ["<name>", "leads", "."]


def in_plain_words(sentences):
    """What `FormIndex.scores` returns, one sentence and one token after the other."""
    tokens = [form_tokens(s) for s in sentences]
    words = [t[: len(t) // 2] for t in tokens]
    return [PLAIN.scores(t) for t in tokens], ["<name>" in w[: (len(w) + 1) // 2] for w in words]


@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join), min_size=1, max_size=6))
def test_many_sentences_are_scored_as_each_alone_to_the_bit(sentences):
    found = INDEX.scores(sentences)
    scores, opens = in_plain_words(sentences)
    assert found.scores.tolist() == np.stack(scores).tolist()
    assert found.opens_with_name.tolist() == opens


@pytest.mark.parametrize("remembered", [1, 3, 1 << 14])
def test_what_is_remembered_changes_nothing(monkeypatch, remembered):
    monkeypatch.setattr(forms, "_REMEMBERED", remembered)
    index = FormIndex(INDEXED)
    for _ in range(2):
        assert index.scores(INDEXED).scores.tolist() == np.stack(in_plain_words(INDEXED)[0]).tolist()
    assert len(index._rows_of) <= remembered
