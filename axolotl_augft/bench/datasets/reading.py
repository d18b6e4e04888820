"""Running text -> what its sentences state and deny, read with a data set's grammar."""

import re
from dataclasses import dataclass
from functools import lru_cache

from axolotl_augft.bench.datasets.facts import Fact
from axolotl_augft.bench.datasets.grammar import Grammar
from axolotl_augft.text.sentences import split_sentences

# "All A are B, and all B are C, so all A are C." states three facts, but a grammar for single statements reads none.
_CLAUSE = re.compile(
    r"[,;:]\s+(?:and|so|hence|thus|therefore|which means(?: that)?|it follows "
    r"that)\b[\s,]*|;\s+|\s+so\s+(?=\S+\s+\S+\s)"
)


@dataclass(frozen=True, slots=True)
class SentenceReading:
    """What a sentence states and what it denies; neither if any part of it is not understood."""

    sentence: str
    stated: tuple[Fact, ...] = ()
    denied: tuple[Fact, ...] = ()

    @property
    def is_understood(self) -> bool:
        """Whether the sentence says anything that is understood."""
        return bool(self.stated or self.denied)


class Reader:
    """Reads texts with a grammar, and caches the results."""

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self.facts = lru_cache(maxsize=65536)(self._facts)
        self.sentences = lru_cache(maxsize=65536)(self._sentences)

    def _facts(self, text: str) -> tuple[Fact, ...]:
        """The distinct facts that understood sentences state, in order."""
        return tuple(dict.fromkeys(fact for reading in self.sentences(text) for fact in reading.stated))

    def _sentences(self, text: str) -> tuple[SentenceReading, ...]:
        """The reading of each sentence."""
        return tuple(self._sentence(sentence) for sentence in split_sentences(text))

    def _sentence(self, sentence: str) -> SentenceReading:
        """Read the sentence as a whole, or else clause by clause if every clause is understood."""
        whole = self._part(sentence)
        if whole.is_understood:
            return whole
        parts = [self._part(clause) for clause in _CLAUSE.split(sentence)]
        if not all(part.is_understood for part in parts):
            return SentenceReading(sentence)
        stated = tuple(fact for part in parts for fact in part.stated)
        return SentenceReading(sentence, stated, tuple(fact for part in parts for fact in part.denied))

    def _part(self, text: str) -> SentenceReading:
        return SentenceReading(text, self._grammar.read(text), self._grammar.denied(text))
