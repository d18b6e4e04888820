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

    Neither passage may hold the other's year, the years must differ, and each question must name something, so that it
    can be understood without its passage. Comparisons without enough other dates to choose from are left out.

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
    return a.place != b.place and a.year != b.year and told == {False}


def _compared(pair: tuple[_Dated, _Dated], passages: Sequence[Passage], rng: random.Random) -> Combined | None:
    """Word the comparison of two dates; None if the passages have too few other dates."""
    early = rng.random() < 0.5
    first, second = rng.sample(pair, 2)
    right = min(pair, key=lambda d: d.year if early else -d.year)
    other = first if right is second else second
    question = (
        f"Which date is {'earlier' if early else 'later'}, the answer to “{first.asked.question.strip()}” or the "
        f"answer to “{second.asked.question.strip()}”?"
    )
    asked = Asked(question, right.asked.answer)
    dates = {_year(text): text for text in other_answers(asked, passages, rng)}
    further = {year: text for year, text in dates.items() if year not in (right.year, other.year)}
    beyond = [text for year, text in further.items() if (year < right.year) == early]
    within = [text for year, text in further.items() if (year < right.year) != early]
    # How many wrong dates lie beyond the right one is drawn, so that no place in time is the likeliest to be right.
    shares = [n for n in range(_OTHERS + 1) if n <= len(beyond) and _OTHERS - n <= len(within)]
    if not shares:
        return None
    share = rng.choice(shares)
    wrong = (other.asked.answer, *rng.sample(beyond, share), *rng.sample(within, _OTHERS - share))
    return Combined(asked, wrong, (pair[0].place, pair[1].place))


def _year(date: str) -> int:
    match = _YEAR.search(date)
    assert match, "a date of the kind 'year' has a year"
    return int(match[0])
