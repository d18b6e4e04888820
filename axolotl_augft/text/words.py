"""Text -> normalised words, for comparing statements with their sources."""

import re
from functools import lru_cache

WORD = re.compile(r"\w+(?:['’-]\w+)*")
POSSESSIVE = re.compile(r"['’]s?$")
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|[。！？]|\n")


def normalised(text: str) -> str:
    """Return the words of a text, case-folded and joined by single spaces."""
    return " ".join(WORD.findall(text.casefold()))


def normalised_sentences(text: str) -> list[str]:
    """Return the sentences and lines of a text, each normalised, without those that hold no word."""
    return [normal for part in _SENTENCE_END.split(text) if (normal := normalised(part))]


@lru_cache(maxsize=512)
def vocabulary(texts: tuple[str, ...]) -> frozenset[str]:
    """Return the set of all words of the texts, in their `bare` form."""
    return frozenset(bare(w) for w in {w for text in texts for w in WORD.findall(text)})


def bare(word: str) -> str:
    """Case-fold a word and strip a possessive ending (as in Mara's and Moss')."""
    small = word.casefold()
    return POSSESSIVE.sub("", small) if "'" in small or "’" in small else small
