import pytest

from axolotl_augft.sources.documents import Document
from axolotl_augft.strategies.grouping import Sized, regroup

TOPICS = ["pump valve pressure", "harbour ship crane", "bread oven flour", "violin string bow"]


def sized(texts, tokens=10):
    return [Sized(Document(f"{i:08x}", t, 0, i), tokens) for i, t in enumerate(texts)]


def texts(n):
    return [f"{TOPICS[i % 4]} item{i}" for i in range(n)]


def test_related_documents_stand_together():
    documents = sized(texts(40))
    (one,) = regroup(documents, 105, 1, [])
    topic = {s.document.id: i % 4 for i, s in enumerate(documents)}
    pure = [len({topic[d] for d in group}) == 1 for group in one]
    assert sorted(d for g in one for d in g) == sorted(topic)
    assert all(len(g) <= 10 for g in one)
    assert sum(pure) >= 4


def test_everything_in_one_group_where_it_fits():
    (one,) = regroup(sized(texts(8)), 1000, 1, [])
    assert len(one) == 1 and len(one[0]) == 8


def test_later_passes_bring_new_pairs_together():
    documents = sized([f"pump valve item{i}" for i in range(12)])
    first, second = regroup(documents, 45, 2, [])
    pairs = [{frozenset((a, b)) for g in p for a in g for b in g if a != b} for p in (first, second)]
    assert len(pairs[1] - pairs[0]) > len(pairs[1]) / 2
    for one in (first, second):
        assert sorted(d for g in one for d in g) == [s.document.id for s in documents]


def test_grouping_is_deterministic():
    assert regroup(sized(texts(50)), 100, 2, []) == regroup(sized(texts(50)), 100, 2, [])


@pytest.mark.parametrize("passes", [1, 2])
def test_editing_one_document_of_a_thousand_changes_its_own_groups_only(passes):
    before = sized(texts(1000), tokens=10)
    old = regroup(before, 200, passes, [])
    edited = [*before[:500], Sized(Document("ffffffff", texts(1000)[500] + " more", 0, 500), 12), *before[501:]]
    new = regroup(edited, 200, passes, old)
    for a, b in zip(old, new, strict=True):
        changed = set(b) - set(a)
        assert len(changed) <= 2
        assert any("ffffffff" in g for g in changed)


def test_removed_documents_leave_and_new_ones_find_a_place():
    before = sized(texts(20))
    old = regroup(before, 100, 1, [])
    (new,) = regroup([*before[5:], Sized(Document("eeeeeeee", "pump valve", 0, 99), 10)], 100, 1, old)
    assert sorted(d for g in new for d in g) == sorted([s.document.id for s in before[5:]] + ["eeeeeeee"])
