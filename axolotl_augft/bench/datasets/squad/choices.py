"""A right answer and the passages of its article -> three wrong answers of the same kind.

They come from the passages that are trained on, so that no choice stands out by having never been seen: other answers
of the article, and names, years and numbers in its text.
"""

import random
import re
from collections.abc import Iterable, Sequence
from typing import Literal

from axolotl_augft.bench.datasets.squad.passages import Asked, Passage

WRONG = 3
LONGEST_ANSWER = 12
"""Words of the longest answer that a question may have."""
TOO_FEW = "too few wrong answers of its kind"
"""Why a question is left out that has not as many."""
Kind = Literal["year", "number", "name", "phrase"]
_NUMBER_WORDS = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|hundreds?|thousands?|millions?"
_MONTH = "(?:Jan|Febr)uary|March|April|May|June|July|August|(?:Septem|Octo|Novem|Decem)ber"
_YEAR = re.compile(rf"(?:(?:{_MONTH}) (?:\d{{1,2}}, )?|\d{{1,2}} (?:{_MONTH}) )?(?:1\d|20)\d\d")
_NUMBER = re.compile(rf"\d|(?:{_NUMBER_WORDS})\b", re.IGNORECASE)
_CAPITAL = re.compile(r"[A-Z]\w")
_SPANS: dict[Kind, re.Pattern[str]] = {
    "year": re.compile(rf"(?<!\w)(?:{_YEAR.pattern})(?!\w)"),
    "number": re.compile(r"(?<![\w.,])[$£€]?\d+(?:[.,]\d+)*(?: (?:million|billion|per cent|percent)|%)?(?!\w)"),
    "name": re.compile(r"(?<=[a-z,] )[A-Z]\w+(?: (?:of |the )?[A-Z]\w+)*"),
}
_WORDS = re.compile(r"\w+")
_ASKS_THE_SAME = 0.5


def kind_of(answer: str) -> Kind:
    """Tell what kind of thing an answer is, by its form."""
    if _YEAR.fullmatch(answer):
        return "year"
    if _NUMBER.match(answer.lstrip("$£€~")):
        return "number"
    words = answer.split()
    named = sum(bool(_CAPITAL.match(word)) for word in words)
    return "name" if named and named * 2 >= len(words) else "phrase"


def wrong_answers(asked: Asked, passages: Sequence[Passage], rng: random.Random) -> tuple[str, ...] | None:
    """Draw three wrong answers of the same kind, of about the same length; None if there are too few.

    Args:
        asked: The question and its right answer.
        passages: The passages of its article that are trained on.
        rng: Draws among answers of equal length.
    """
    found = other_answers(asked, passages, rng)
    return found[:WRONG] if len(found) >= WRONG else None


def other_answers(asked: Asked, passages: Sequence[Passage], rng: random.Random) -> tuple[str, ...]:
    """Collect answers of the same kind as the right one, those of about the same length first.

    An answer to much the same question is left out, as is one that holds the right answer or is held by it.

    Args:
        asked: The question and its right answer.
        passages: The passages to look in.
        rng: Orders answers of equal length.
    """
    kind, length = kind_of(asked.answer), len(asked.answer.split())
    found = {
        normal(text): text
        for text in _answers(asked, passages, kind)
        if not overlap(text, asked.answer) and not overlap(text, asked.question)
    }
    nearest = sorted(rng.sample(sorted(found.values()), len(found)), key=lambda t: abs(len(t.split()) - length))
    chosen: list[str] = []
    for text in nearest:
        if not any(overlap(text, other) for other in chosen):
            chosen.append(text)
    return tuple(chosen)


def _answers(asked: Asked, passages: Sequence[Passage], kind: Kind) -> Iterable[str]:
    question = _telling(asked.question)
    for passage in passages:
        for other in passage.questions:
            shared = question & _telling(other.question)
            if kind_of(other.answer) == kind and len(shared) < _ASKS_THE_SAME * min(
                len(question), len(_telling(other.question))
            ):
                yield other.answer
        if kind in _SPANS:
            yield from (m[0] for m in _SPANS[kind].finditer(passage.text) if kind_of(m[0]) == kind)


def _telling(question: str) -> frozenset[str]:
    return frozenset(w[:5] for w in normal(question).split() if len(w) > 3)


def overlap(a: str, b: str) -> bool:
    """Tell whether one text holds the other's words in a row."""
    first, second = f" {normal(a)} ", f" {normal(b)} "
    return first in second or second in first


def normal(text: str) -> str:
    """Return the words of a text in lower case, with one space between them."""
    return " ".join(_WORDS.findall(text.casefold()))
