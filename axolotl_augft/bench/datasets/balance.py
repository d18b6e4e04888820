"""Possible questions -> questions on which every bag-of-words scorer is right about as often as a guess.

A wrong choice can be true of something else and still give the answer away, because the right word stands beside the
question's words more often. So the wrong choices of each question are chosen such that each scorer's count of right
answers stays near a guesser's; a question for which none are found is left out.

The questions are chosen against these scorers, so that their accuracy proves nothing about others: word statistics of
another kind, such as which words keep the same company, may still do better than a guess.
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
# Right answers above a guesser's that a scorer may have gained at any point of a split: after the whole prompt, and
# after nothing but its telling words, where a few more are let through for each question so that enough questions are
# left.
_SURPLUS = np.array([1.0, 3.0])
_SLACK = np.array([0.0, 0.08])


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question with more wrong answers than it needs.

    `asked_about`: the prompt's words that tell it from other prompts. `wrong`: each answer as it ends the sentence, and
    the fact that it would state.
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
    """Up to `count` questions of four choices, at random places, on which no scorer is more than one answer ahead of a guess.

    Args:
        candidates: Tried in their order; those that do not fit at first are tried again after the others.
        count: How many are wanted.
        statistics: The scorers.
        rng: Draws the right choice's place.
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
    """All threes of a candidate's wrong answers, and what every scorer gains by each over a guesser."""

    def __init__(self, candidate: Candidate, statistics: WordStatistics) -> None:
        self.candidate = candidate
        right, *others = _scores(candidate, statistics)
        wrong = np.array(others)
        self._threes = np.array(list(combinations(range(len(wrong)), _WRONG)))
        scores = wrong[self._threes]
        best = np.maximum(scores.max(axis=1), right) - _SAME_SCORE
        first = right >= best
        # A scorer that finds several choices equally good names any of them.
        self._gained = first / np.maximum(first + (scores >= best[:, None]).sum(axis=1), 1) - _CHANCE

    def nearest(self, surplus: npt.NDArray[np.float64]) -> tuple[list[int], npt.NDArray[np.float64]]:
        """The three after which the scorers are nearest to a guesser: their indices, and what each scorer gains by it."""
        chosen = int((((surplus + self._gained) ** 2).sum(axis=1)).argmin())
        return [int(i) for i in self._threes[chosen]], self._gained[chosen]


def _scores(candidate: Candidate, statistics: WordStatistics) -> npt.NDArray[np.float64]:
    """Choices, the right one first, x scorers: after the whole prompt, in which common words hide much, then after its telling words."""
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
