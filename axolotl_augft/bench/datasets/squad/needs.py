"""A question and its passage -> what answering needs: the sentence as it stands, or turned around, or another one too.

The rule compares words; it does not understand the question. Of the answer's sentence it takes the words that the
question repeats: if three quarters of them stand before the answer, the sentence says the answer last, as the question
asks for it (*forward*); if as many stand behind it, the sentence has to be turned around (*reversed*). If a name or
number of the question stands only in another sentence, both are needed (*two sentences*). What the words do not decide
is *other*.
"""

import re
from dataclasses import dataclass
from typing import Literal

from axolotl_augft.text.sentences import split_sentences

Needs = Literal["forward", "reversed", "two sentences", "other"]
_WORD = re.compile(r"\w+(?:[-'’]\w+)*")
_STEM = 5
_CLEAR = 0.75
_COMMON = frozenset(
    """a about after all also an and any are as at be became become been before being but by can could did do does
    during each for from had has have he her his how in into is it its kind many more most much name no not of on one
    or other our out over part people she so some such than that the their them there these they thing this those to
    type under up was we were what when where which while who whom whose why will with would""".split()
)


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of a text, by its first letters, and where it starts.

    Attributes:
        telling: Whether it is a name or number, which other sentences can be recognized by.
    """

    stem: str
    start: int
    telling: bool


def needs_of(question: str, answer: str, passage: str) -> Needs | None:
    """Tell what answering a question needs; None if no sentence of the passage has the answer."""
    sentences = split_sentences(passage)
    asked = {w.stem: w for w in _words(question) if w.stem not in {a.stem for a in _words(answer)}}
    found = [_Place(s, m.start(), asked) for s in sentences for m in _occurrences(answer, s)]
    if not found:
        return None
    place = max(found, key=lambda f: len(f.repeated))
    elsewhere = {w.stem for s in sentences if s != place.sentence for w in _words(s)}
    if any(w.telling and w.stem in elsewhere and w.stem not in place.stems for w in asked.values()):
        return "two sentences"
    if not place.repeated:
        return "other"
    before = sum(w.start < place.answer_start for w in place.repeated) / len(place.repeated)
    if 1 - _CLEAR < before < _CLEAR:
        return "other"
    return "forward" if before >= _CLEAR else "reversed"


def telling_words(text: str) -> frozenset[str]:
    """Return the names and numbers of a text, by their first letters."""
    return frozenset(w.stem for w in _words(text) if w.telling)


def content_words(text: str) -> frozenset[str]:
    """Return the words of a text that say something, by their first letters."""
    return frozenset(w.stem for w in _words(text))


class _Place:
    """One occurrence of the answer in a sentence, with the words of the question that the sentence repeats."""

    def __init__(self, sentence: str, answer_start: int, asked: dict[str, _Word]) -> None:
        self.sentence = sentence
        self.answer_start = answer_start
        words = _words(sentence)
        self.stems = {w.stem for w in words}
        self.repeated = [w for w in words if w.stem in asked]


def _occurrences(answer: str, sentence: str) -> list[re.Match[str]]:
    return list(re.finditer(rf"(?<!\w){re.escape(answer)}(?!\w)", sentence))


def _words(text: str) -> list[_Word]:
    """The words that say something, the question's or sentence's first one never taken for a name."""
    found = []
    for match in _WORD.finditer(text):
        word = match[0]
        if word.casefold() in _COMMON:
            continue
        telling = word[0].isdigit() or (word[0].isupper() and match.start() > 0)
        found.append(_Word(word.casefold()[:_STEM], match.start(), telling))
    return found
