"""Which words of a sentence are names, by how the other sentences of the data write them."""

import pytest

from axolotl_augft.text.names import Capitals

SENTENCES = [
    "Uriah Hawthorne is the composer of Abyssal Melodies.",
    "Paris has two airports, and in the north lies one of them.",
    "However, nobody has seen Paris at night.",
    "In Paris the lamps are out by 23:30.",
    "Дом Анны стоит в Москве.",
    "Le pont de Rouen relie deux rives.",
    "東京は日本の首都です。",
]


@pytest.mark.parametrize(
    ("sentence", "names"),
    [
        ("Uriah Hawthorne is the composer of Abyssal Melodies.", ["Uriah Hawthorne", "Abyssal Melodies"]),
        ("Paris has two airports.", ["Paris"]),
        ("However, nobody has seen Paris at night.", ["Paris"]),
        ("In Paris the lamps are out by 23:30.", ["Paris", "23:30"]),
        ("Lamps are lit.", []),
        ("The University of Oxford was there before 1096.", ["University of Oxford", "1096"]),
        ("Apollo 11 landed on 20 July 1969.", ["Apollo 11", "20", "July 1969"]),
        ("“Paris” is not where O'Brien lives.", ["Paris", "O'Brien"]),
        ("Анна живёт в Москве.", ["Москве"]),
        ("Ο Άρης είναι στην Αθήνα.", ["Άρης", "Αθήνα"]),
        ("東京は日本の首都です。", []),
        ("", []),
    ],
)
def test_names_of_a_sentence(sentence, names):
    capitals = Capitals()
    for one in [*SENTENCES, "the Ο lamps ο the university"]:
        capitals.add(one)
    found = capitals.names(sentence)
    assert [name.text for name in found] == names
    assert [sentence[name.start : name.end] for name in found] == names


def test_a_first_word_is_a_name_only_by_what_other_sentences_say():
    capitals = Capitals()
    assert capitals.names("Mara lives here.") == []
    capitals.add("Nobody knows Mara.")
    assert [name.text for name in capitals.names("Mara lives here.")] == ["Mara"]
    capitals.add("They call it mara.")
    assert capitals.names("Mara lives here.") == []
