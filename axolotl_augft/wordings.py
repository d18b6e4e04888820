"""Texts as words, for comparing statements with what they come from."""

import re
from functools import lru_cache

WORD = re.compile(r"\w+(?:['’-]\w+)*")
ARTICLES = frozenset({"a", "an", "the"})
POSSESSIVE = re.compile(r"['’]s?$")


def normalised(text: str) -> str:
    """The words of a text in small letters, with single spaces."""
    return " ".join(WORD.findall(text.casefold()))


@lru_cache(maxsize=512)
def vocabulary(texts: tuple[str, ...]) -> frozenset[str]:
    """All words of some texts, each bare."""
    return frozenset(bare(w) for w in {w for text in texts for w in WORD.findall(text)})


def bare(word: str) -> str:
    """A word without case and without an English possessive ending."""
    small = word.casefold()
    return POSSESSIVE.sub("", small) if "'" in small or "’" in small else small


@lru_cache(maxsize=512)
def plain_words(text: str) -> tuple[str, ...]:
    """The words of a text in small letters, without articles; a possessive ending is a word of its own."""
    apart = re.sub(r"(?<=\w)['’]s\b", " 's", text.casefold())
    return tuple(w for w in re.findall(rf"'s|{WORD.pattern}", apart) if w not in ARTICLES)
