"""Candidate questions -> questions on which every bag-of-words scorer does about as well as random guessing.

Even if every wrong choice is true of something else, the right one may give itself away, because its words stand near
the words of the question more often. The wrong choices of each question are therefore chosen so that each scorer's
number of right answers stays near that of guessing. Questions for which no such choices exist are left out.

The questions are selected against these scorers, so the scorers' accuracy proves nothing about others. Word statistics
of another kind, such as which words occur in the same contexts, may still beat guessing.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from axolotl_augft.bench.datasets.dataset import Question
from axolotl_augft.bench.datasets.facts import Fact
from axolotl_augft.bench.datasets.words.scorer import WordStatistics

_WRONG = 3
_CHANCE = 1 / (_WRONG + 1)
_ROUNDS = 3
_SAME_SCORE = 1e-6
# How many right answers a scorer may be ahead of guessing at any point of a split, given the whole prompt, and given
# only its distinctive words. The latter limit grows with the number of questions, or too few of them would be left.
_SURPLUS = np.array([1.0, 3.0])
_SLACK = np.array([0.0, 0.08])


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question with more wrong answers than it needs.

    Attributes:
        asked_about: The words of the prompt that distinguish it from other prompts.
        wrong: Each wrong answer, as it ends the sentence, with the fact that it would state.
    """

    id: str
    split: str
    subset: str
    prompt: str
    asked_about: str
    fact: Fact
    right: str
    wrong: tuple[tuple[str, Fact], ...]


def balanced(
    candidates: Sequence[Candidate], count: int, statistics: WordStatistics, rng: random.Random
) -> list[Question]:
    """Choose up to `count` questions of four choices on which all scorers stay near guessing.

    Args:
        candidates: Tried in order; those that do not fit are tried again after the others.
        count: Number of questions wanted.
        statistics: The scorers.
        rng: Draws the place of the right choice among the others.
    """
    questions: list[Question] = []
    surplus: npt.NDArray[np.float64] = np.zeros(1)
    waiting: Iterable[_Draws] = (_Draws(c, statistics) for c in candidates)
    for _ in range(_ROUNDS):
        again = []
        for draws in waiting:
            if len(questions) == count:
                return questions
            wrong, gained = draws.nearest(surplus)
            after = surplus + gained
            limit = np.repeat(_SURPLUS + _SLACK * len(questions), len(after) // 2)
            if (after > np.maximum(limit, surplus)).any():
                again.append(draws)
                continue
            surplus = after
            questions.append(_question(draws.candidate, wrong, rng))
        waiting = again
    return questions


class _Draws:
    """All triples of a candidate's wrong answers, with what each scorer gains over guessing by each triple."""

    def __init__(self, candidate: Candidate, statistics: WordStatistics) -> None:
        self.candidate = candidate
        right, *others = _scores(candidate, statistics)
        wrong = np.array(others)
        self._threes = np.array(list(combinations(range(len(wrong)), _WRONG)))
        scores = wrong[self._threes]
        best = np.maximum(scores.max(axis=1), right) - _SAME_SCORE
        first = right >= best
        # A scorer that ranks several choices first picks one of them at random.
        self._gained = first / np.maximum(first + (scores >= best[:, None]).sum(axis=1), 1) - _CHANCE

    def nearest(self, surplus: npt.NDArray[np.float64]) -> tuple[list[int], npt.NDArray[np.float64]]:
        """Find the triple that keeps the scorers nearest to guessing: its indices, and what each scorer gains."""
        chosen = int((((surplus + self._gained) ** 2).sum(axis=1)).argmin())
        return [int(i) for i in self._threes[chosen]], self._gained[chosen]


def _scores(candidate: Candidate, statistics: WordStatistics) -> npt.NDArray[np.float64]:
    """Scores as an array of choices (the right one first) x scorers.

    Each scorer counts twice: given the whole prompt, whose common words hide much, and given its distinctive words
    only.
    """
    choices = [candidate.right, *(text for text, _ in candidate.wrong)]
    prompts = (candidate.prompt, candidate.asked_about)
    return np.hstack([[list(statistics.scores(prompt, choice).values()) for choice in choices] for prompt in prompts])


def _question(candidate: Candidate, wrong: Iterable[int], rng: random.Random) -> Question:
    pairs = [candidate.wrong[i] for i in wrong]
    place = rng.randrange(_WRONG + 1)
    choices = [text for text, _ in pairs]
    choices.insert(place, candidate.right)
    return Question(
        id=candidate.id,
        prompt=candidate.prompt,
        choices=tuple(choices),
        answer=place,
        split=candidate.split,
        fact=candidate.fact,
        subset=candidate.subset,
        distractors=tuple(fact for _, fact in pairs),
    )
