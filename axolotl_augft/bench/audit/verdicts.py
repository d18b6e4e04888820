"""A statement and a data set's facts -> right, wrong or unread, sentence by sentence.

A statement is right only if all of its sentences are understood and right. A denial or a contrast ("unlike zibs") is
judged like any other claim: it is wrong if what it denies follows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from axolotl_augft.bench.datasets.dataset import BenchData
from axolotl_augft.bench.datasets.facts import Fact, closure
from axolotl_augft.bench.datasets.grammar import Grammar
from axolotl_augft.bench.datasets.reading import SentenceReading


class Verdict(StrEnum):
    """How a statement, or a sentence of it, compares with the facts.

    Attributes:
        RIGHT: All of it is understood, states what follows, and denies what does not.
        WRONG: It states what does not follow, or denies what does.
        UNREAD: Nothing in it is wrong, but some or all of it is not understood.
    """

    RIGHT = "right"
    WRONG = "wrong"
    UNREAD = "unread"


class SentenceReader(Protocol):
    """Reads the sentences of a text."""

    def sentences(self, text: str) -> Sequence[SentenceReading]:
        """Return the reading of each sentence."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on a statement.

    Attributes:
        verdict: The verdict on the whole.
        sentences: The verdict on each sentence.
        facts: What its right sentences state.
    """

    verdict: Verdict
    sentences: tuple[Verdict, ...]
    facts: frozenset[Fact]


class Judge:
    """Judges what a reader reads.

    Args:
        data: The data set, whose facts and rules tell what follows.
        grammar: Tells whether what does not follow from this data set is false.
        reader: Reads the statements.
    """

    def __init__(self, data: BenchData, grammar: Grammar, reader: SentenceReader) -> None:
        self._true = closure(data.facts, data.rules)
        self._is_complete = grammar.is_complete
        self._reader = reader

    def judge(self, text: str) -> Judgement:
        """Judge a statement."""
        readings = self._reader.sentences(text)
        verdicts = tuple(self._verdict(reading) for reading in readings)
        right = (r for r, verdict in zip(readings, verdicts, strict=True) if verdict is Verdict.RIGHT)
        return Judgement(_together(verdicts), verdicts, frozenset(fact for r in right for fact in r.stated))

    def _verdict(self, reading: SentenceReading) -> Verdict:
        if not reading.is_understood:
            return Verdict.UNREAD
        if not self._true.issuperset(reading.stated) or not self._true.isdisjoint(reading.denied):
            return Verdict.WRONG
        return Verdict.UNREAD if reading.denied and not self._is_complete else Verdict.RIGHT


def _together(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict on a whole, from those on its parts."""
    if Verdict.WRONG in verdicts:
        return Verdict.WRONG
    return Verdict.UNREAD if Verdict.UNREAD in verdicts or not verdicts else Verdict.RIGHT
