"""Two dated questions about two passages of an article -> a question that needs both: which date is earlier, or later.

People wrote both questions. The new one quotes them and has one of their answers, so its right choice is computed, and
whoever knows only one of the two dates can merely guess. No model is needed.
"""

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from axolotl_augft.bench.datasets.squad.choices import kind_of, other_answers
from axolotl_augft.bench.datasets.squad.needs import needs_of, telling_words
from axolotl_augft.bench.datasets.squad.passages import Asked, Combined, Passage

_YEAR = re.compile(r"\d{4}")
_ASKS_FOR_A_TIME = re.compile(r"\b(?:when|year|date)\b", re.IGNORECASE)
# A date that every comparison asked about would give an article with one such date many like questions.
_USES = 2
_OTHERS = 2


@dataclass(frozen=True, slots=True)
class _Dated:
    """A question whose answer is a date, and the index of its passage."""

    asked: Asked
    place: int
    year: int


def comparisons(passages: Sequence[Passage], rng: random.Random) -> Iterator[Combined]:
    """Compare dates of different passages, each date at most twice.

    Neither passage may hold the other's year, so the years differ. Each question must name something, so that it can be
    understood without its passage. Comparisons without enough other dates to choose from are left out.

    Args:
        passages: The passages of one article that are trained on.
        rng: Draws the pairs, the direction, the order and the wrong answers.
    """
    dated = [d for i, p in enumerate(passages) for d in _dated(p, i)]
    pairs = [(a, b) for a, b in combinations(dated, 2) if _is_told_apart(a, b, passages)]
    uses: Counter[Asked] = Counter()
    for pair in rng.sample(pairs, len(pairs)):
        if any(uses[d.asked] >= _USES for d in pair):
            continue
        if found := _compared(pair, passages, rng):
            uses.update(d.asked for d in pair)
            yield found


def _dated(passage: Passage, place: int) -> Iterator[_Dated]:
    for asked in passage.questions:
        is_date = kind_of(asked.answer) == "year" and _ASKS_FOR_A_TIME.search(asked.question)
        if is_date and telling_words(asked.question) and needs_of(asked.question, asked.answer, passage.text):
            yield _Dated(asked, place, _year(asked.answer))


def _is_told_apart(a: _Dated, b: _Dated, passages: Sequence[Passage]) -> bool:
    told = {str(a.year) in passages[b.place].text, str(b.year) in passages[a.place].text}
    return a.place != b.place and told == {False}


def _compared(pair: tuple[_Dated, _Dated], passages: Sequence[Passage], rng: random.Random) -> Combined | None:
    """Word the comparison of two dates; None if the passages have too few other dates.

    How many wrong dates lie beyond the right one is drawn first, and the direction then, so that no rank in time is
    much likelier to be right than another.
    """
    shown = rng.sample(pair, 2)
    ways = [way for early in (True, False) for way in _ways(shown, early, passages, rng)]
    if not ways:
        return None
    share = rng.choice(sorted({len(way.beyond) for way in ways}))
    way = rng.choice([way for way in ways if len(way.beyond) == share])
    return Combined(way.asked, (way.other, *way.beyond, *way.within), (pair[0].place, pair[1].place))


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to ask which of two dates is earlier or later.

    Attributes:
        other: The other one of the two dates.
        beyond: Wrong dates that are still earlier or later than the right one.
        within: Wrong dates that are not.
    """

    asked: Asked
    other: str
    beyond: tuple[str, ...]
    within: tuple[str, ...]


def _ways(shown: Sequence[_Dated], early: bool, passages: Sequence[Passage], rng: random.Random) -> Iterator[_Way]:
    """Yield a way for each number of wrong dates beyond the right one for which the passages have enough dates."""
    right, other = sorted(shown, key=lambda d: d.year, reverse=not early)
    first, second = (f"the answer to “{d.asked.question.strip()}”" for d in shown)
    asked = Asked(f"Which date is {'earlier' if early else 'later'}, {first} or {second}?", right.asked.answer)
    dates = {_year(text): text for text in other_answers(asked, passages, rng)}
    further = {year: text for year, text in dates.items() if year not in (right.year, other.year)}
    beyond = [text for year, text in further.items() if (year < right.year) == early]
    within = [text for year, text in further.items() if (year < right.year) != early]
    for share in range(_OTHERS + 1):
        if share <= len(beyond) and _OTHERS - share <= len(within):
            chosen = rng.sample(beyond, share), rng.sample(within, _OTHERS - share)
            yield _Way(asked, other.asked.answer, tuple(chosen[0]), tuple(chosen[1]))


def _year(date: str) -> int:
    match = _YEAR.search(date)
    assert match, "a date of the kind 'year' has a year"
    return int(match[0])
