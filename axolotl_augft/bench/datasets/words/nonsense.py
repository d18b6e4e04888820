"""A seed -> nonsense words that obey English phonology.

Words are one or two syllables of onset, nucleus and coda. The inventory of onsets and codas, and the rule that long
vowels and diphthongs precede single consonants, follow the tables of word-initial and word-final sequences in
Cruttenden, "Gimson's Pronunciation of English", chapter 10 (phonotactics), with each sound in its most common spelling.
No word begins with a vowel or ends in a sibilant or a vowel, so every word takes the article "a" and the plural "s".
"""

import random
from collections.abc import Collection, Iterator
from itertools import islice

from axolotl_augft.bench.datasets.words.known import is_known
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
# No e, so that no ending looks like -ed, -en or -er.
_UNSTRESSED = tuple("aiou")
_LAST = tuple("bdgklmnpt")
_FRUITLESS_DRAWS = 20_000


def plural(word: str) -> str:
    """Return the plural of a nonsense word."""
    return f"{word}s"


def nonsense_words(count: int, seed: int, letters: Collection[int] = (4, 5)) -> tuple[str, ...]:
    """Draw distinct words of the given lengths.

    No word, in singular or plural, is a word of the languages looked at (`known`), holds an offensive one, or is a part
    of another word.

    Args:
        count: Number of words.
        seed: Random seed.
        letters: Allowed lengths, between 3 and 7.

    Raises:
        BenchError: There are fewer words of these lengths, or a length is not allowed.
    """
    words: dict[str, None] = {}
    forms: set[str] = set()
    parts: set[str] = set()
    draws = _draws(random.Random(f"nonsense words {seed}"), letters)
    while len(words) < count:
        for word in islice(draws, _FRUITLESS_DRAWS):
            own = {part for form in (word, plural(word)) for part in _parts(form)}
            if not ({word, plural(word)} & parts or own & forms or is_known(word) or is_known(plural(word))):
                break
        else:
            raise BenchError(
                f"nonsense words of {' or '.join(map(str, sorted(letters)))} letters: only {len(words)} of {count} "
                "found; allow longer words or ask for fewer"
            )
        words[word] = None
        forms.update((word, plural(word)))
        parts.update(own)
    return tuple(words)


def _draws(rng: random.Random, letters: Collection[int]) -> Iterator[str]:
    """Yield random words of the given lengths, without end."""
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
    """All substrings of three letters or more, including the form itself."""
    return (form[i:j] for i in range(len(form)) for j in range(i + 3, len(form) + 1))
