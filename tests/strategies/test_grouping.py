import pytest

from axolotl_augft.sources.documents import Document
from axolotl_augft.sources.sized_file import Sized, SizedFile
from axolotl_augft.strategies import grouping

TOPICS = ["pump valve pressure", "harbour ship crane", "bread oven flour", "violin string bow"]


def sized(texts, tokens=10):
    return [Sized(Document(f"{i:08x}", t, 0, i), tokens) for i, t in enumerate(texts)]


def regroup(documents, *settings):
    return grouping.regroup(SizedFile(documents), *settings)


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


def test_groups_of_a_few_documents_are_those_of_earlier_versions():
    documents = [
        Sized(Document(f"{i:08x}", text, 0, i), tokens)
        for i, (text, tokens) in enumerate(
            [
                ("the pump valve leaks", 30),
                ("a harbour crane", 25),
                ("the valve of the pump is old", 40),
                ("ships wait for the harbour crane", 30),
                ("flour for the oven", 45),
                ("an oven", 5),
                ("crane", 60),
                ("unrelated", 10),
            ]
        )
    ]
    assert [[[int(d, 16) for d in group] for group in one] for one in regroup(documents, 100, 2, [])] == [
        [[0, 2, 1], [3, 4, 5, 7], [6]],
        [[0, 4, 5, 7], [1, 3, 2], [6]],
    ]


def test_each_member_brings_in_those_nearest_to_it_only():
    words = "crane hose|valve pump|hose|hose crane|valve crane|tide|crane|ship|tide pump|hose pump|hose valve"
    (one,) = regroup(sized(words.split("|")), 74, 1, [])
    # If members brought in all that they are related to, "hose pump" (9) would be the last of the first group.
    assert [[int(d, 16) for d in group] for group in one] == [[0, 3, 6, 4, 2, 10, 1], [5, 8, 9, 7]]


def test_thousands_of_documents_without_a_common_word_are_grouped_in_their_order():
    documents = sized([f"only{i}" for i in range(3000)], tokens=10)
    (one,) = regroup(documents, 105, 1, [])
    ids = [s.document.id for s in documents]
    assert one == tuple(tuple(ids[i : i + 9]) for i in range(0, 3000, 9))


def test_an_edited_document_goes_back_to_its_group():
    before = sized(["pump valve", "pump tide", "crane", "tide ship", "tide", "ship"], tokens=10)
    old = [(tuple(s.document.id for s in before[:3]), tuple(s.document.id for s in before[3:]))]
    edited = [*before[:1], Sized(Document("ffffffff", "pump tide ship", 0, 1), 10), *before[2:]]
    # It is more related to the second group, all of whose requests would be new.
    assert regroup(edited, 45, 1, old) == [(("00000000", "00000002", "ffffffff"), old[0][1])]


def test_removed_documents_leave_and_new_ones_find_a_place():
    before = sized(texts(20))
    old = regroup(before, 100, 1, [])
    (new,) = regroup([*before[5:], Sized(Document("eeeeeeee", "pump valve", 0, 99), 10)], 100, 1, old)
    assert sorted(d for g in new for d in g) == sorted([s.document.id for s in before[5:]] + ["eeeeeeee"])


def test_documents_with_one_id_are_refused():
    # They would be moved to other groups at every edit, all of whose requests would be new.
    documents = sized(texts(20))
    old = regroup(documents, 100, 1, [])
    documents[7] = Sized(Document(documents[3].document.id, "pump tide", 0, 7), 10)
    with pytest.raises(AssertionError, match="of documents with one id"):
        regroup(documents, 100, 1, old)
