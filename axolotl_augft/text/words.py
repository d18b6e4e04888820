"""Text -> normalised words, for comparing statements with their sources."""

import re
from functools import lru_cache

WORD = re.compile(r"\w+(?:['’-]\w+)*")
POSSESSIVE = re.compile(r"['’]s?$")
# Scripts without spaces (Thai to Khmer, kana, Chinese characters): each character is matched like a word, but counts as
# half a word of length.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_MATCHED_WORD = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])\w)+")
_UNSPACED_WORD = re.compile(rf"[{_UNSPACED}]")
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|[。！？]|\n")


def normalised(text: str) -> str:
    """Return the words of a text, case-folded and joined by single spaces."""
    return " ".join(WORD.findall(text.casefold()))


def normalised_sentences(text: str) -> list[str]:
    """Return the sentences and lines of a text, each normalised, without those that hold no word."""
    return [normal for part in _SENTENCE_END.split(text) if (normal := normalised(part))]


def matched_words(text: str) -> tuple[str, ...]:
    """Return the case-folded words of a text, to match word for word; without spaces in a script, each character."""
    return tuple(_MATCHED_WORD.findall(text.casefold()))


def says(text: str, said: str) -> bool:
    """Whether the matched words of `said` stand in a text one after the other."""
    return _spaced(said) in _spaced(text)


@lru_cache(maxsize=64)
def _spaced(text: str) -> str:
    """Return the matched words of a text between spaces; cached, because a document is looked into again and again."""
    return f" {' '.join(matched_words(text))} "


def word_size(word: str) -> float:
    """Return the length of a matched word in words: a half in a script without spaces, otherwise 1."""
    return 0.5 if _UNSPACED_WORD.match(word) else 1


@lru_cache(maxsize=64)
def vocabulary(texts: tuple[str, ...]) -> frozenset[str]:
    """Return the set of all words of the texts, in their `bare` form."""
    return frozenset(bare(w) for w in {w for text in texts for w in WORD.findall(text)})


def bare(word: str) -> str:
    """Case-fold a word and strip a possessive ending (as in Mara's and Moss')."""
    small = word.casefold()
    return POSSESSIVE.sub("", small) if "'" in small or "’" in small else small
