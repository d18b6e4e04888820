"""A seed -> nonsense words that English phonology allows.

Words are one or two syllables of onset, nucleus and coda. The inventory of onsets and codas, and the rule that long
vowels and diphthongs stand before single consonants, follow the tables of word-initial and word-final sequences in
Cruttenden, "Gimson's Pronunciation of English", chapter 10 (phonotactics), each sound in its commonest spelling. No
word begins with a vowel or ends in a sibilant or a vowel, so that every word takes "a" and the plural "s".
"""

import random
from collections.abc import Collection, Iterator
from functools import cache, lru_cache
from itertools import islice

from axolotl_augft.errors import BenchError

_ONSETS: tuple[str, ...] = (
    *"bdfghjklmnprstvwz",
    *(
        "bl",
        "br",
        "ch",
        "cl",
        "cr",
        "dr",
        "fl",
        "fr",
        "gl",
        "gr",
        "pl",
        "pr",
        "scr",
        "sh",
        "shr",
        "sk",
        "sl",
        "sm",
        "sn",
    ),
    *("sp", "spl", "spr", "st", "str", "sw", "th", "thr", "tr", "tw"),
)
_SHORT, _LONG = tuple("aeiou"), ("ai", "ea", "ee", "oa", "oi", "oo")
_AFTER_SHORT: tuple[str, ...] = (
    *"bdgmnpt",
    *("ck", "ff", "ft", "ld", "lf", "lk", "ll", "lm", "lp", "lt", "mp", "nd", "ng", "nk", "nt", "nth", "pt"),
    *("rb", "rd", "rf", "rk", "rm", "rn", "rp", "rt", "sk", "sp", "st", "th"),
)
_AFTER_LONG: tuple[str, ...] = (*"bdfgklmnprt", "th")
_BETWEEN = tuple("bdfgklmnprtvz")
# Without e, so that no ending looks like -ed, -en or -er.
_UNSTRESSED = tuple("aiou")
_LAST = tuple("bdgklmnpt")
_FRUITLESS_DRAWS = 20_000
_SUFFIXES = ("s", "es", "d", "ed", "ing", "er", "est", "ly", "y")


def plural(word: str) -> str:
    """The plural of a nonsense word."""
    return f"{word}s"


def nonsense_words(count: int, seed: int, letters: Collection[int] = (4, 5)) -> tuple[str, ...]:
    """Different words of these lengths; none, singular or plural, is English, an inflected English word, or part of another.

    Raises:
        BenchError: There are not that many words of these lengths.
    """
    words: dict[str, None] = {}
    forms: set[str] = set()
    parts: set[str] = set()
    draws = _draws(random.Random(f"nonsense words {seed}"), letters)
    while len(words) < count:
        for word in islice(draws, _FRUITLESS_DRAWS):
            own = {part for form in (word, plural(word)) for part in _parts(form)}
            if not ({word, plural(word)} & parts or own & forms or is_english(word) or is_english(plural(word))):
                break
        else:
            raise BenchError(
                f"nonsense words of {' or '.join(map(str, sorted(letters)))} letters: only {len(words)} of {count} "
                f"found; "
                "allow longer words or ask for fewer"
            )
        words[word] = None
        forms.update((word, plural(word)))
        parts.update(own)
    return tuple(words)


def _draws(rng: random.Random, letters: Collection[int]) -> Iterator[str]:
    """Endless random words of the wanted lengths."""
    if not letters or min(letters) < 3 or max(letters) > 7:
        raise BenchError(f"nonsense words: letters must be between 3 and 7, got {sorted(letters)}")
    while True:
        word = _syllables(rng)
        if len(word) in letters:
            yield word


def _syllables(rng: random.Random) -> str:
    onset = rng.choice(_ONSETS)
    shape = rng.random()
    if shape < 0.5:
        return onset + rng.choice(_SHORT) + rng.choice(_AFTER_SHORT)
    if shape < 0.7:
        return onset + rng.choice(_LONG) + rng.choice(_AFTER_LONG)
    return onset + rng.choice(_SHORT) + rng.choice(_BETWEEN) + rng.choice(_UNSTRESSED) + rng.choice(_LAST)


def _parts(form: str) -> Iterator[str]:
    """Its substrings of three letters or more, itself among them."""
    return (form[i:j] for i in range(len(form)) for j in range(i + 3, len(form) + 1))


@lru_cache(maxsize=65_536)
def is_english(word: str) -> bool:
    """Whether a lower-case word is in an English dictionary, or is such a word with a common suffix."""
    listed = dictionary()
    return word in listed or any(stem in listed for stem in _stems(word))


@cache
def dictionary() -> frozenset[str]:
    """The words of Webster's Second and of GCIDE in small letters (package english-words)."""
    from english_words import get_english_words_set

    return frozenset(get_english_words_set(["web2", "gcide"], lower=True))


def _stems(word: str) -> Iterator[str]:
    """What is left without a suffix: as it is, with an e restored, with a doubled consonant undone, with y for i."""
    for suffix in _SUFFIXES:
        stem = word.removesuffix(suffix)
        if len(stem) < 3 or stem == word:
            continue
        yield from (stem, f"{stem}e")
        if stem[-1] == stem[-2]:
            yield stem[:-1]
        if stem[-1] == "i":
            yield f"{stem[:-1]}y"
