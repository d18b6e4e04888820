"""Labels at the end of a conclusion: taken off, and believed only if the prompt showed them."""

import pytest

from axolotl_augft.judging.labels import Cited, without_citation

KNOWN = ("0a1b2c3d", "1a2b3c4d", "2a2b3c4d")


@pytest.mark.parametrize(
    ("text", "bare", "labels"),
    [
        ("Tin conducts heat. [0a1b2c3d]", "Tin conducts heat.", ("0a1b2c3d",)),
        ("Tin conducts heat. [0a1b2c3d, 1a2b3c4d]", "Tin conducts heat.", ("0a1b2c3d", "1a2b3c4d")),
        ("Tin conducts heat. [0a1b2c3d] [1a2b3c4d]", "Tin conducts heat.", ("0a1b2c3d", "1a2b3c4d")),
        ("Tin conducts heat. [0a1b2c3d], [1a2b3c4d]", "Tin conducts heat.", ("0a1b2c3d", "1a2b3c4d")),
        ("Tin conducts heat [0a1b2c3d and 1a2b3c4d].", "Tin conducts heat.", ("0a1b2c3d", "1a2b3c4d")),
        ("Tin conducts heat. (from: [0A1B2C3D])", "Tin conducts heat.", ("0a1b2c3d",)),
        ("Tin conducts heat. (0a1b2c3d)", "Tin conducts heat.", ("0a1b2c3d",)),
        ("Tin conducts heat. [0a1b2c3d, 0a1b2c3d]", "Tin conducts heat.", ("0a1b2c3d",)),
        ("Tin conducts heat. [ffffffff]", "Tin conducts heat.", ()),
        ("Tin conducts heat. [ffffffff, 2a2b3c4d]", "Tin conducts heat.", ("2a2b3c4d",)),
        ("Tin conducts heat.", "Tin conducts heat.", ()),
        ("Tin [Sn] conducts heat (well).", "Tin [Sn] conducts heat (well).", ()),
        ("Order 12345678 was sent (12345678).", "Order 12345678 was sent.", ()),
        ("[0a1b2c3d] conducts heat.", "[0a1b2c3d] conducts heat.", ()),
    ],
)
def test_labels_at_the_end(text, bare, labels):
    assert without_citation(text, KNOWN) == Cited(bare, labels)


def test_without_labels_in_the_prompt_nothing_is_taken_off():
    assert without_citation("Order 12345678 was sent (12345678).", ()) == Cited("Order 12345678 was sent (12345678).")
