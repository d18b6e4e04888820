"""Planted slips: a true sentence in, the same sentence made false out."""

import pytest

from axolotl_augft.verifying.slips import names_exchanged, slips


@pytest.mark.parametrize(
    ("sentence", "language", "expected"),
    [
        (
            "The Mill House is older than the Gull Street building.",
            "xx",
            {"names": "The Gull Street is older than the Mill House building."},
        ),
        ("Nobody knows Mara Quell or Ines Voss.", "xx", {}),
        (
            "Founded in 1990, the firm employs nobody now.",
            "xx",
            {"number": "Founded in 1991, the firm employs nobody now."},
        ),
        (
            "He may have come on a Tuesday.",
            "en",
            {"hedge": "He must have come on a Tuesday."},
        ),
        ("The pump is no longer sold.", "en", {"negation": "The pump is still sold."}),
        ("Nobody may enter the reference room.", "en", {}),
        ("The rains ended in the last 40 years, as described above.", "en", {"number"}),
        ("A book about the key has no pictures at all.", "en", {}),
        ("It has been tested every year.", "en", {"negation": "It has not been tested every year."}),
        ("Most of the pumps are new, and some leak.", "en", {"quantifier", "negation"}),
        ("Wren meters are tested before they are sold.", "en", {"comparison", "negation"}),
        ("All pumps are checked twice a year.", "en", {"quantifier", "negation"}),
        ("Too short.", "en", {}),
        ("dieser satz hat keinen namen.", "xx", {}),
        ("Tamsin Roake runs the shop of Pell Lark.", "xx", {"names": "Pell Lark runs the shop of Tamsin Roake."}),
        ("三月にポンプ2台を点検した。", "xx", {}),
    ],
)
def test_slips(sentence, language, expected):
    found = {slip.kind: slip.text for slip in slips(sentence, language)}
    assert (found if isinstance(expected, dict) else set(found)) == expected
    assert sentence not in found.values()


def test_what_is_said_of_one_is_said_of_another_of_the_same_text():
    around = "Dov Larrick is the manager of the shift. Petra Voss reads the meters. The Repair Desk is closed."
    found = slips("Dov Larrick is the manager of the shift.", "xx", around)
    assert [slip.kind for slip in found] == ["other name"]
    assert found[0].text in {
        "Petra Voss is the manager of the shift.",
        "The Repair Desk is the manager of the shift.",
    }


@pytest.mark.parametrize(
    ("sentence", "exchanged"),
    [
        ("Tamsin Roake runs the shop of Pell Lark.", "Pell Lark runs the shop of Tamsin Roake."),
        ("Tamsin Roake met Ivo Voss before Pell Lark did.", "Pell Lark met Ivo Voss before Tamsin Roake did."),
        ("Tamsin Roake met Pell Lark.", None),
        ("Tamsin Roake, the cook, met Pell Lark.", None),
        ("Tamsin Roake is no friend of Tamsin Roake.", None),
        ("Tamsin Roake runs the shop.", None),
        ("Owls hunt.", None),
    ],
)
def test_first_and_last_name_exchanged(sentence, exchanged):
    assert names_exchanged(sentence) == exchanged


def test_the_same_slips_every_time():
    sentence = "All 12 pumps of Tamsin Roake were made before 1990 in the hall of Pell Lark."
    assert slips(sentence, "en") == slips(sentence, "en") != []
    assert {slip.kind for slip in slips(sentence, "en")} == {"names", "number", "comparison", "quantifier", "negation"}
