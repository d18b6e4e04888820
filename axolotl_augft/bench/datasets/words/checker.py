"""A data set's words -> problems: nonsense words that are English or parts of one another, and questions that words alone answer."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scipy import stats

from axolotl_augft.bench.datasets.dataset import BenchData, Question
from axolotl_augft.bench.datasets.words.nonsense import dictionary
from axolotl_augft.bench.datasets.words.scorer import WordsAccuracy, WordStatistics, words_accuracy

STANDARD_ERRORS = 2.0
"""How far above chance a scorer may be in one comparison; for several, its tail probability is divided by their number (Bonferroni)."""

_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, slots=True)
class WordsLimit:
    """What a scorer reaches on a split ("all" for every question), and the accuracy above which it counts as better than chance."""

    reached: WordsAccuracy
    split: str
    limit: float
    comparisons: int

    @property
    def is_passed(self) -> bool:
        """Whether the scorer does better than chance."""
        return self.reached.accuracy > self.limit

    @property
    def problem(self) -> str:
        """The line for a limit that is passed."""
        return f"words: a bag of words does better than chance: {self}"

    def __str__(self) -> str:
        reached = self.reached
        return (
            f"{reached.scorer} {reached.accuracy:.3f} on {self.split} ({reached.questions:,} questions; chance "
            f"{reached.chance:.3f}, "
            f"limit {self.limit:.3f} for {self.comparisons} comparisons)"
        )


def words_limits(questions: Sequence[Question], documents: Sequence[str]) -> tuple[WordsLimit, ...]:
    """Every scorer on all questions, and on each split where there are several."""
    by_split: dict[str, list[Question]] = {"all": list(questions)}
    names = sorted({q.split for q in questions})
    if len(names) > 1:
        by_split |= {name: [q for q in questions if q.split == name] for name in names}
    statistics = WordStatistics(documents)
    reached = [(split, accuracy) for split, part in by_split.items() for accuracy in words_accuracy(part, statistics)]
    errors = float(stats.norm.isf(stats.norm.sf(STANDARD_ERRORS) / len(reached)))
    return tuple(WordsLimit(a, split, a.chance + errors * a.standard_error, len(reached)) for split, a in reached)


def words_problems(data: BenchData) -> Iterator[str]:
    """Nonsense words that are English words, or that stand inside other nonsense words."""
    words = sorted(_nonsense_words(data))
    for word in words:
        if word in dictionary():
            yield f"words: {word!r} stands among nonsense words and is an English word"
        for other in words:
            if word != other and word in other:
                yield f"words: {word!r} is a part of {other!r}"


def _nonsense_words(data: BenchData) -> set[str]:
    """The words of the facts' arguments at those places of a predicate where most words are new to English."""
    by_place: dict[tuple[str, int], set[str]] = defaultdict(set)
    asked = [f for q in data.questions for f in (q.fact, *q.distractors) if f]
    for fact in [*(s.fact for s in data.stated), *asked]:
        for place, argument in enumerate(fact.arguments):
            by_place[fact.predicate, place].update(_WORD.findall(argument.casefold()))
    return {w for words in by_place.values() if sum(w in dictionary() for w in words) < len(words) / 2 for w in words}
