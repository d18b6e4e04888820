"""Statements that lean on what was said before them."""

import pytest

from axolotl_augft.text.pronouns import opens_with_pronoun


@pytest.mark.parametrize(
    ("text", "language", "leans"),
    [
        ("He built the first meter.", "en", True),
        ('"It is older than the mill."', "en", True),
        ("Their pumps are blue.", "en", True),
        ("Hesk Oldrin said that he built it.", "en", False),
        ("Items are stored here.", "en", False),
        ("Sie wohnt in Pellwick.", "de", True),
        ("Siegel sind rot.", "de", False),
        ("Él vive aquí.", "es", True),
        ("He built the first meter.", "xx", False),
        ("...", "en", False),
        ("", "en", False),
    ],
)
def test_opening_with_a_pronoun(text, language, leans):
    assert opens_with_pronoun(text, language) is leans
