import pytest

from axolotl_augft.bench.datasets.words.known import is_english, is_known
from axolotl_augft.bench.datasets.words.nonsense import nonsense_words, plural
from axolotl_augft.errors import BenchError


def test_words_of_a_seed_are_always_the_same():
    assert nonsense_words(6, 0) == ("nolud", "kozid", "blurf", "bomip", "pepit", "smoif")
    assert nonsense_words(6, 1) != nonsense_words(6, 0)


def test_many_words_none_english_and_none_a_part_of_another_or_its_plural():
    made = nonsense_words(1500, 3, range(4, 7))
    forms = [form for word in made for form in (word, plural(word))]
    text = "\n".join(forms)
    assert len(set(made)) == 1500 and {len(w) for w in made} == {4, 5, 6}
    # Each word stands in two forms: itself and its plural; each plural in one.
    assert {text.count(word) for word in made} == {2} and {text.count(plural(word)) for word in made} == {1}
    assert not any(is_known(form) for form in forms)


def test_words_are_consonants_around_vowels():
    assert all(
        w[0] not in "aeiou" and w[-1] not in "aeiousxzy" and any(c in "aeiou" for c in w)
        for w in nonsense_words(500, 0)
    )


@pytest.mark.parametrize(
    "word", ["glad", "lamps", "boxes", "jumped", "baked", "stopped", "running", "tried", "bigger", "nicest", "sadly"]
)
def test_english_words_and_their_inflections_are_told(word):
    assert is_english(word)


@pytest.mark.parametrize("word", ["glorp", "frant", "mizut", "blurfs"])
def test_nonsense_is_not_known(word):
    assert not is_known(word)


@pytest.mark.parametrize(
    "word",
    [
        *("porn", "kunt", "spast", "habib", "diff"),  # all came out of the generator when it knew English of 1934 only
        *("dupak", "pornel"),  # hold offensive words
        *("lasten", "skog"),  # German, Norwegian
    ],
)
def test_real_words_of_other_languages_and_offensive_ones_are_told(word):
    assert is_known(word) and not is_english(word)


def test_too_many_words_of_three_letters():
    with pytest.raises(
        BenchError, match=r"nonsense words of 3 letters: only \d+ of 900 found; allow longer words or ask for fewer"
    ):
        nonsense_words(900, 0, (3,))


@pytest.mark.parametrize("letters", [(), (2,), (4, 9)])
def test_lengths_that_the_syllables_do_not_have(letters):
    with pytest.raises(BenchError, match="letters must be between 3 and 7, got"):
        nonsense_words(1, 0, letters)
