"""Which words are English: a dictionary's, and those with a common suffix."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

_SUFFIXES = ("s", "es", "d", "ed", "ing", "er", "est", "ly", "y")
_SHORTEST_HALF = 3
_SHORTEST_NAME = 3
_ENDINGS = ("s", "es", "d", "ed", "ing")
# Words the dictionaries leave out, which are older than some of them.
_UNLISTED = frozenset(
    "app biodiversity blog covid cybersecurity email euro fulfil fulfilment globalization internet onboarding online shit smartphone tv"
    " using wank".split()
)
_BRITISH = (
    (re.compile(r"our(?=$|s$|ed$|ing$|ite|able|al)"), "or"),
    (re.compile(r"([iy])s(?=e$|es$|ed$|er$|ers$|ing$|ation$|ations$)"), r"\1z"),
)
_UNITS = "three four five six seven eight nine".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
# Without one and two, which say much besides.
_NUMBERS = frozenset(
    [*_UNITS, *_TENS, *(f"{ten}-{unit}" for ten in _TENS for unit in ("one", "two", *_UNITS))]
    + "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen hundred thousand million".split()
)


def is_number(word: str) -> bool:
    """Whether a lower-case word is a number from three on: eighteen, twenty-six."""
    return word in _NUMBERS


@lru_cache(maxsize=65_536)
def is_english(word: str) -> bool:
    """Whether a lower-case word is English, or is an English one with a common suffix."""
    return any(_is_listed(spelt) for spelt in {word, _american(word)})


def is_unlisted(word: str) -> bool:
    """Whether a lower-case word looks like one of a text, and is not English."""
    return word.isalpha() and len(word) >= _SHORTEST_NAME and not is_english(word)


def _is_listed(word: str) -> bool:
    english = _english()
    return word in english or word in _UNLISTED or any(stem in english or stem in _UNLISTED for stem in stems(word))


def _american(word: str) -> str:
    """Favourite, organised -> favorite, organized: the dictionaries are American."""
    for british, american in _BRITISH:
        word = british.sub(american, word)
    return word


def is_compound(word: str, shortest: int = _SHORTEST_HALF) -> bool:
    """Whether two English words, each of so many letters or more, make it up: website, workflow. The dictionaries are older than those."""
    english = _english()
    halves = ((word[:i], word[i:]) for i in range(shortest, len(word) - shortest + 1))
    return any(first in english and is_english(second) for first, second in halves)


def stems(word: str) -> Iterator[str]:
    """What is left without a suffix: as it is, with an e restored, with a doubled consonant undone, with y for i."""
    yield from _without(_SUFFIXES, word)


def endings_off(word: str) -> Iterator[str]:
    """The same for the endings of verbs and plurals only, which leave a name the same name."""
    yield from _without(_ENDINGS, word)


def inflected(word: str, known: frozenset[str]) -> bool:
    """Whether it is a known word with a suffix, without one, or with another ending of verbs and plurals."""
    if any(stem in known for stem in stems(word)):
        return True
    forms = set(endings_off(word))
    return any(word in stems(k) or not forms.isdisjoint(endings_off(k)) for k in known if k.startswith(word[:3]))


def _without(suffixes: Iterable[str], word: str) -> Iterator[str]:
    for suffix in suffixes:
        stem = word.removesuffix(suffix)
        if len(stem) < 3 or stem == word:
            continue
        yield from (stem, f"{stem}e")
        if stem[-1] == stem[-2]:
            yield stem[:-1]
        if stem[-1] == "i":
            yield f"{stem[:-1]}y"


@lru_cache(maxsize=1)
def _english() -> frozenset[str]:
    from english_words import get_english_words_set

    return frozenset(get_english_words_set(["web2", "gcide"], lower=True))
