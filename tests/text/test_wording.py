import pytest

from axolotl_augft.text.wording import wording

SAME = [
    ("en", "The Quality team tests all Wren meters.", "the quality team tests all Wren meters!"),
    ("en", "A ghost reading is a value.", "The ghost reading is a value."),
    ("en", "Twenty-six days are “paid”.", "Twenty six days are paid"),
    ("en", "Mara’s boss lives here (in town).", "Mara's boss lives here - in town."),
    ("en", "The pump isn’t sold.", "The pump is not sold."),
    ("en", "It can't and won't leak.", "It cannot and will not leak."),
    ("en", "It costs 3.5 %, or $1,600.", "It costs 3.5 % or $1,600"),
    ("en", "Pellwick\u00a0lies in the so\u00adcalled ﬁeld.", "Pellwick lies in the so called field."),
    ("fr", "L'arbre est dans la cour.", "Un arbre est dans une cour."),
    ("it", "L’albero è nel cortile.", "Un albero è nel cortile."),
    ("nl", "Het huis is oud.", "Een huis is oud."),
    ("zh", "海港很旧。", "海港很旧"),
]
OTHER = [
    ("en", "The Mill House is older than the Gull.", "The Gull is older than the Mill House."),
    ("en", "Wren meters are tested.", "Wren meters are not tested."),
    ("en", "The pump isn't sold.", "The pump is sold."),
    ("en", "It weighs 3.5 kg.", "It weighs 35 kg."),
    ("en", "It costs $5.", "It costs €5."),
    ("en", "It is 5 °C outside.", "It is -5 °C outside."),
    ("en", "It grew by 5 %.", "It grew by 5."),
    ("en", "It is written in C++.", "It is written in C#."),
    ("en", "It is a class A device.", "It is a class device."),
    ("en", "All meters are sold.", "The meters are sold."),
    ("en", "Is the mill old?", "Are the mills old?"),
    ("de", "Der Hund beißt den Mann.", "Den Hund beißt der Mann."),
    ("ru", "Собака кусает мальчика.", "Собаку кусает мальчик."),
    ("hi", "राम घर में है।", "रमा घर में है।"),
    ("fr", "Le poids est de 3,5 kg.", "Le poids est de 35 kg."),
]


@pytest.mark.parametrize(("language", "text", "other"), SAME)
def test_texts_of_the_same_wording(language, text, other):
    assert wording(text, language) == wording(other, language) != ""


@pytest.mark.parametrize(("language", "text", "other"), OTHER)
def test_texts_of_other_wordings(language, text, other):
    assert wording(text, language) != wording(other, language)


def test_the_wording_itself():
    assert (
        wording("The head, “Mara Quell”, isn't at -3.5 °C; see No. 7.") == "head mara quell is not at −3.5 °c see no 7"
    )
    assert wording("The head of a mill", "de") == "the head of a mill"
