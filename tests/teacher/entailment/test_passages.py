import pytest

from axolotl_augft.teacher.entailment.passages import passages


def words(text):
    return len(text.split())


@pytest.mark.parametrize(
    ("premise", "room", "expected"),
    [
        ("One two. Three four.", 4, ("One two. Three four.",)),
        ("One two. Three four. Five six.", 4, ("One two. Three four.", "Five six.")),
        ("One two three. Four. Five six.", 3, ("One two three.", "Four. Five six.")),
        # A sentence that is too long is cut at white space.
        ("One two three four five six. Seven.", 3, ("One two three", "four five six.", "Seven.")),
    ],
)
def test_a_premise_is_cut_at_sentence_ends_where_it_can(premise, room, expected):
    assert passages(premise, room, words) == expected


def test_a_word_that_is_too_long_is_cut_anywhere():
    assert passages("abcdefgh", 3, len) == ("ab", "cd", "ef", "gh")


def test_nothing_is_lost():
    text = " ".join(f"Sentence {i} holds a {'very ' * (i % 40)}long word." for i in range(200))
    parts = passages(text, 12, words)
    assert " ".join(parts) == text and max(map(words, parts)) <= 12


def test_no_room_at_all_ends():
    assert passages("ab", 0, len) == ("a", "b")
