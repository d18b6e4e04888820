"""A data set -> problems with its words: nonsense words that are no nonsense, and questions that words alone answer."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scipy import stats

from axolotl_augft.bench.datasets.dataset import BenchData, Question
from axolotl_augft.bench.datasets.words.known import dictionary, is_known
from axolotl_augft.bench.datasets.words.scorer import WordsAccuracy, WordStatistics, words_accuracy

STANDARD_ERRORS = 2.0
"""How far above chance a scorer may be in a single comparison.

With several comparisons, the tail probability is divided by their number (Bonferroni).
"""

_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, slots=True)
class WordsLimit:
    """A scorer's accuracy on a split, and the limit above which it counts as better than chance.

    Attributes:
        reached: The scorer's accuracy.
        split: A split, or "all" for every question.
        comparisons: Number of comparisons that the limit accounts for.
    """

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
        """The line that reports an exceeded limit."""
        return f"words: a bag of words does better than chance: {self}"

    def __str__(self) -> str:
        reached = self.reached
        return (
            f"{reached.scorer} {reached.accuracy:.3f} on {self.split} ({reached.questions:,} questions; chance "
            f"{reached.chance:.3f}, limit {self.limit:.3f} for {self.comparisons} comparisons)"
        )


def words_limits(questions: Sequence[Question], documents: Sequence[str]) -> tuple[WordsLimit, ...]:
    """Compare every scorer with its limit on all questions, and on each split if there are several."""
    by_split: dict[str, list[Question]] = {"all": list(questions)}
    names = sorted({q.split for q in questions})
    if len(names) > 1:
        by_split |= {name: [q for q in questions if q.split == name] for name in names}
    statistics = WordStatistics(documents)
    reached = [(split, accuracy) for split, part in by_split.items() for accuracy in words_accuracy(part, statistics)]
    errors = float(stats.norm.isf(stats.norm.sf(STANDARD_ERRORS) / len(reached)))
    return tuple(WordsLimit(a, split, a.chance + errors * a.standard_error, len(reached)) for split, a in reached)


def words_lines(limits: Sequence[WordsLimit]) -> Iterator[str]:
    """Say what word statistics reach on each split, from the worst scorer to the best."""
    for split in dict.fromkeys(limit.split for limit in limits):
        reached = sorted((limit.reached for limit in limits if limit.split == split), key=lambda r: r.accuracy)
        worst, best = reached[0], reached[-1]
        yield (
            f"words alone on {split}: {worst.accuracy:.3f} ({worst.scorer}) to {best.accuracy:.3f} ({best.scorer}); "
            f"chance {best.chance:.3f}"
        )


def words_problems(data: BenchData) -> Iterator[str]:
    """Find nonsense words that are real or offensive words, or part of other nonsense words."""
    words = sorted(_nonsense_words(data))
    for word in words:
        if is_known(word):
            yield f"words: {word!r} is used as a nonsense word, but is a real word or holds an offensive one"
        for other in words:
            if word != other and word in other:
                yield f"words: {word!r} is a part of {other!r}"


def _nonsense_words(data: BenchData) -> set[str]:
    """Words of the facts' arguments, at those argument places where fewer than half of the words are English."""
    by_place: dict[tuple[str, int], set[str]] = defaultdict(set)
    asked = [f for q in data.questions for f in (q.fact, *q.distractors) if f]
    for fact in [*(s.fact for s in data.stated), *asked]:
        for place, argument in enumerate(fact.arguments):
            by_place[fact.predicate, place].update(_WORD.findall(argument.casefold()))
    return {w for words in by_place.values() if sum(w in dictionary() for w in words) < len(words) / 2 for w in words}
