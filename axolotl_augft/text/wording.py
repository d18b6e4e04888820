"""A text -> its wording: what is left of it when case, spacing, punctuation and articles do not count.

Texts of the same wording say the same. No measure of similarity can stand in for that: another order of the same words,
"not", or "younger" for "older" change one word or none, and the meaning. So all that may carry meaning stays: every
word but articles, their order, and numbers with their signs and units.
"""

import re
import unicodedata
from functools import cache

# Articles without case, and those that an apostrophe joins to the next word. The articles of German or Greek tell
# subject from object ("den Hund beißt der Mann"), so they count.
_ARTICLES = {
    "en": ("the|an?", ""),
    "fr": ("l[ea]s?|une?", "l"),
    "es": ("el|l[ao]s?|un(?:[ao]s?)?", ""),
    "it": ("i|il|l[aeo]|gli|un[ao]?", "l|un"),
    "pt": ("[ao]s?|uns?|um|umas?", ""),
    "ca": ("els?|l[ae]s?|un(?:e?s|a)?", "l"),
    "nl": ("de|het|een", ""),
    "da": ("et?n?|de[nt]?", ""),
    "nb": ("en|ei|et|de[nt]?", ""),
    "sv": ("en|ett|de[nt]?", ""),
}
_NEGATIONS = {"can't": "can not", "cannot": "can not", "won't": "will not", "shan't": "shall not"}
_NEGATED = re.compile(r"\b(can'?not|(?:ca|wo|sha)n't|\w+n't)\b", re.IGNORECASE)
_APOSTROPHES = str.maketrans("’ʼ`´", "''''")
_QUOTED = re.compile(r"(?<!\w)'|'(?!\w)")
_MINUS = re.compile(r"(?<![\w)\]])[-‐‑‒–−](?=[.,]?\d)")
# A point or comma that belongs to no number.
_POINT = re.compile(r"[.,](?!\d)|(?<=\w)(?<!\d)[.,]")
# Punctuation that may belong to a number, a unit or a name.
_KEPT = frozenset("'.,%‰′″&@#*§/\\?·_")
_DROPPED = ("Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Cc", "Cf", "Zl", "Zp", "Zs")


def wording(text: str, language: str = "en") -> str:
    """Return the wording of a text: the `spoken_words`, case-folded and joined by single spaces."""
    return " ".join(spoken_words(text, language)).casefold()


def spoken_words(text: str, language: str = "en") -> list[str]:
    """Return the words, numbers and signs of a text in their order, without articles and punctuation.

    Args:
        text: A sentence, or several.
        language: ISO 639 code. It decides which articles do not count: in most languages all words do.
    """
    text = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES)
    text = _MINUS.sub("−", _QUOTED.sub(" ", text))
    if language == "en" and "n" in text:
        text = _NEGATED.sub(lambda word: _without_contraction(word.group()), text)
    if articles := _articles(language):
        text = articles.sub("", text)
    return _POINT.sub(" ", text).translate(_SIGNS).split()


def _without_contraction(word: str) -> str:
    """Write a negation as a word of its own, so that a text and its negation never differ in one word only."""
    return _NEGATIONS.get(word.lower(), re.sub(r"n't$", " not", word, flags=re.IGNORECASE))


@cache
def _articles(language: str) -> re.Pattern[str] | None:
    """Return what finds a language's articles; a capitalised one only where a sentence begins (not in "class A")."""
    if language not in _ARTICLES:
        return None
    apart, joined = _ARTICLES[language]
    forms = rf"(?:(?:{apart})\s+" + (rf"|(?:{joined})')" if joined else ")")
    return re.compile(rf"(?<![\w'-]){forms}(?=\w)|(?:^|(?<=[.!?:]\s))(?i:{forms})(?=\w)")


class _Signs(dict[int, str]):
    """Maps each character that does not count to a space, and any other to itself; filled as characters are met."""

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        return self.setdefault(code, " " if sign not in _KEPT and unicodedata.category(sign) in _DROPPED else sign)


_SIGNS = _Signs()
