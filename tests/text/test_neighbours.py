import random
import re

import numpy as np
import pytest

from axolotl_augft.text import neighbours
from axolotl_augft.text.bm25 import Bm25
from axolotl_augft.text.neighbours import Neighbours


def random_texts(count, seed=0):
    """Texts of words some of which are far more common than others."""
    draw = random.Random(seed)
    return [
        " ".join(f"w{int(draw.paretovariate(0.4)) % 500}" for _ in range(draw.randint(5, 60))) for _ in range(count)
    ]


def by_all_scores(texts, numbers, most):
    """The nearest texts of some texts, and their scores, as bm25s scores all texts."""
    words = [re.findall(r"\w+", text.casefold()) or ["_"] for text in texts]
    index = Bm25(words)
    for number in numbers:
        scores = index.scores(list(dict.fromkeys(words[number])))
        order = [i for i in np.argsort(-scores, kind="stable")[: most + 1] if scores[i] > 0 and i != number][:most]
        yield order, scores[order].tolist()


@pytest.mark.parametrize(
    ("texts", "nearest"),
    [
        (["pump valve", "tide", "Pump VALVE hose", "valve"], [[2, 3], [], [0, 3], [0, 2]]),
        (["a b", "a b", "a b"], [[1, 2], [0, 2], [0, 1]]),
        (["alone"], [[]]),
        (["?!", "...", "word"], [[1], [0], []]),
    ],
)
def test_nearest_of_few_texts(texts, nearest):
    found = Neighbours(texts).nearest(range(len(texts)), 2)
    assert [[n for n in row if n >= 0] for row in found.numbers.tolist()] == nearest


@pytest.mark.parametrize("look_ups", [100_000, 3000])
def test_scores_are_those_of_bm25s_to_the_last_bit(monkeypatch, look_ups):
    monkeypatch.setattr(neighbours, "_LOOK_UPS", look_ups)
    texts = random_texts(600)
    found = Neighbours(texts).nearest([0, 7, 599], 10)
    rows = list(zip(found.numbers.tolist(), found.scores.tolist(), strict=True))
    assert rows == [*by_all_scores(texts, [0, 7, 599], 10)]


def test_no_text_is_near_itself(monkeypatch):
    monkeypatch.setattr(neighbours, "_LOOK_UPS", 100)
    texts = ["the tide"] * 200 + ["the uniqueword"]
    assert Neighbours(texts).nearest([200], 1).numbers.tolist() == [[-1]]


def test_few_look_ups_still_find_nearly_all(monkeypatch):
    monkeypatch.setattr(neighbours, "_LOOK_UPS", 300)
    texts = random_texts(3000)
    found = Neighbours(texts).nearest(range(40), 10).numbers.tolist()
    shared = [len({*own} & {*top}) for own, (top, _) in zip(found, by_all_scores(texts, range(40), 10), strict=True)]
    assert sum(shared) > 0.8 * 400


def test_texts_with_common_words_only_are_compared_with_those_around_them(monkeypatch):
    monkeypatch.setattr(neighbours, "_LOOK_UPS", 100)
    monkeypatch.setattr(neighbours, "_AT_ONCE", 50)
    texts = ["red" if i % 2 else "blue" for i in range(1000)]
    found = Neighbours(texts).nearest([501], 200).numbers[0]
    near = found[found >= 0]
    assert {texts[n] for n in near} == {"red"}
    assert len(near) == 99 and near.min() > 300 and near.max() < 700


def test_a_number_in_the_index_and_in_what_is_found_takes_four_bytes():
    index = Neighbours(random_texts(50))
    found = index._table([index._query(7)]) @ index._postings
    assert {part.dtype for part in (index._postings.indices, index._postings.indptr, found.indices)} == {np.dtype("i4")}


def test_time_for_a_text_does_not_grow_with_their_number(monkeypatch):
    monkeypatch.setattr(neighbours, "_LOOK_UPS", 500)
    looked_up = []
    for count in (2000, 8000):
        index = Neighbours(random_texts(count))
        queries = [index._query(i) for i in range(200)]
        looked_up.append(max(int(index._sizes[query].sum()) for query in queries))
    # A stretch ends with a batch of texts.
    assert max(looked_up) <= 500 + neighbours._AT_ONCE
