"""Texts as words, for comparing statements with what they come from."""

import re
from functools import lru_cache

WORD = re.compile(r"\w+(?:['’-]\w+)*")
POSSESSIVE = re.compile(r"['’]s?$")
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|[。！？]|\n")


def normalised(text: str) -> str:
    """The words of a text in small letters, with single spaces."""
    return " ".join(WORD.findall(text.casefold()))


def normalised_sentences(text: str) -> list[str]:
    """The sentences and lines of a text that hold a word, each normalised."""
    return [normal for part in _SENTENCE_END.split(text) if (normal := normalised(part))]


@lru_cache(maxsize=512)
def vocabulary(texts: tuple[str, ...]) -> frozenset[str]:
    """All words of some texts, each bare."""
    return frozenset(bare(w) for w in {w for text in texts for w in WORD.findall(text)})


def bare(word: str) -> str:
    """A word without case and without a possessive ending (Mara's, Moss')."""
    small = word.casefold()
    return POSSESSIVE.sub("", small) if "'" in small or "’" in small else small
