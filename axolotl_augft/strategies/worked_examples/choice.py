"""The sentences of a request -> the worked examples shown in its prompt.

The form of the worked examples decides what a small teacher writes, so each request gets the examples whose sentences
resemble its own in form. The scores first vote for a relation; the best examples of that relation come first.
"""

import functools
from collections.abc import Sequence
from itertools import chain, islice
from typing import Protocol

import numpy as np
import numpy.typing as npt

from axolotl_augft.batched import batched
from axolotl_augft.strategies.worked_examples.forms import FormIndex
from axolotl_augft.strategies.worked_examples.pool import Example

_VOTERS = 4
_HIGHEST = (1 << 31) - 1
_RANKED = 256
"""Sentences ranked in one call: for a few, numpy's overhead exceeds the work; more do not fit the processor's cache."""


class Chooser(Protocol):
    """Chooses worked examples for a request."""

    def choose_all(self, units: Sequence[Sequence[str]]) -> list[tuple[Example, ...]]:
        """Choose the examples for each request, in pool order so that equal choices make equal prefixes.

        Args:
            units: The sentences of each request.
        """


class FixedExamples:
    """Gives every request the same examples: the first of each relation in the pool, then the others."""

    def __init__(self, pool: Sequence[Example], count: int) -> None:
        by_relation: dict[str | None, Example] = {}
        for example in pool:
            by_relation.setdefault(example.relation, example)
        first = [*by_relation.values(), *(e for e in pool if e not in by_relation.values())]
        self._chosen = tuple(first[:count])

    def choose_all(self, units: Sequence[Sequence[str]]) -> list[tuple[Example, ...]]:
        """Return the same examples for every request."""
        return [self._chosen] * len(units)


class FittingExamples:
    """Gives each request the examples whose form is closest to its sentences.

    Examples are ranked by three criteria, in this order:

    1. Their relation (the pool's own word: identity, comparison, …). The relation whose examples score best together
       wins.
    2. Their direction. Both sentences, or neither, must have a name in their first half, because "A is B" and "B is A"
       need different reversals.
    3. Their own score. Ties go to the earlier example.
    """

    def __init__(self, pool: Sequence[Example], count: int) -> None:
        self._pool = tuple(pool)
        self._count = min(count, len(self._pool))
        self._bits = len(self._pool).bit_length()
        texts = [e.text for e in self._pool]
        self._index = FormIndex(texts)
        self._opens = np.concatenate([self._index.scores(some).opens_with_name for some in batched(texts, _RANKED)])
        relations = list(dict.fromkeys(e.relation for e in self._pool))
        self._relation = np.array([relations.index(e.relation) for e in self._pool])
        self._members = _padded([np.flatnonzero(self._relation == r) for r in range(len(relations))], len(self._pool))

    def choose_all(self, units: Sequence[Sequence[str]]) -> list[tuple[Example, ...]]:
        """Choose the examples for each request.

        The sentences of a request take turns, so that each gets a fitting example as long as there is room.
        """
        ranked = chain.from_iterable(map(self._rank, batched(chain.from_iterable(units), _RANKED)))
        return [self._in_turns(list(islice(ranked, len(sentences)))) for sentences in units]

    def _in_turns(self, rankings: Sequence[Sequence[int]]) -> tuple[Example, ...]:
        in_turns = list(dict.fromkeys(chain.from_iterable(zip(*rankings, strict=True))))
        return tuple([self._pool[i] for i in sorted(in_turns[: self._count])])

    def _rank(self, sentences: Sequence[str]) -> list[list[int]]:
        """Return the pool positions of the best examples for each sentence, best first."""
        found = self._index.scores(sentences)
        turned = self._opens != found.opens_with_name[:, None]
        places = _places(self._votes(found.scores))[:, self._relation]
        # One number for all criteria, which sorts faster than one after the other. The bits of floats that are not
        # negative are in the order of the floats.
        worse = places << 32 | turned.astype(np.int64) << 31 | _HIGHEST - found.scores.view(np.int32)
        worse = worse << self._bits | np.arange(len(self._pool))
        best = np.partition(worse, self._count - 1, axis=1)[:, : self._count]
        best.sort(axis=1)
        positions: list[list[int]] = (best & ((1 << self._bits) - 1)).tolist()
        return positions

    def _votes(self, scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Sum the scores of the best few examples of each relation, so that one shared word by chance weighs little."""
        own = np.pad(scores, ((0, 0), (0, 1)))[:, self._members]
        own.sort(axis=2)
        best = own[:, :, -_VOTERS:].astype(np.float64)
        votes: npt.NDArray[np.float64] = functools.reduce(np.add, (best[:, :, i] for i in range(_VOTERS)))
        return votes


def _places(votes: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the place of each relation, shape (sentences, relations): 0 for most votes, equal ones for equal votes."""
    order = np.argsort(-votes, axis=1)
    falling = np.take_along_axis(votes, order, axis=1)
    places = np.zeros(votes.shape, dtype=np.int64)
    np.put_along_axis(places, order[:, 1:], np.cumsum(falling[:, 1:] < falling[:, :-1], axis=1), axis=1)
    return places


def _padded(members: Sequence[npt.NDArray[np.int64]], nobody: int) -> npt.NDArray[np.int64]:
    """Stack lists of pool positions into a table, each row padded with `nobody` to at least `_VOTERS` columns."""
    width = max(_VOTERS, *(len(m) for m in members))
    return np.stack([np.pad(m, (0, width - len(m)), constant_values=nobody) for m in members])
