"""Tasks -> a sample of true sentences of their documents, and the slips planted in them, for each strategy."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from axolotl_augft.strategies.task import Task
from axolotl_augft.text.sentences import split_sentences
from axolotl_augft.verifying.inquiry import Claim, Pair
from axolotl_augft.verifying.slips import slips

_SENTENCES = 100
"""Sentences per strategy with slips: enough to tell the share of false statements that pass to a few hundredths."""
_TRUE = 50
"""Of these, the true sentences that the slips are compared with."""
_SLIPS = 3
"""Most slips in a sentence."""


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A true sentence.

    Attributes:
        claim: The sentence, with texts that hold it.
        around: The document that it comes from.
    """

    claim: Claim
    around: str


class PlantedSample:
    """Draws sentences that tasks are about; tasks in the same order give the same ones.

    Args:
        language: ISO 639 code of the documents' language.
    """

    def __init__(self, language: str) -> None:
        self._language = language
        self._drawn: dict[str, dict[bytes, _Sentence]] = {}
        self._last: Task | None = None

    def add(self, task: Task) -> None:
        """Take the sentences of a task into account; an exchange has none that a slip makes false."""
        if task is self._last or task.exchange is not None:
            return
        self._last = task
        drawn = self._drawn.setdefault(task.strategy, {})
        last = max(drawn) if len(drawn) >= _SENTENCES else None
        around = task.target.text
        # The evidence of a local task may be a part of its document, which holds the task's own sentences only.
        for text in task.sentences or split_sentences(around, self._language):
            digest = _digest(text)
            if digest in drawn or (last is not None and digest > last):
                continue
            if slips(text, self._language, around):
                drawn[digest] = _Sentence(Claim(task.evidence, text), around)
        for surplus in sorted(drawn)[_SENTENCES:]:
            del drawn[surplus]

    def sentences(self, strategy: str) -> list[Claim]:
        """Return true sentences of a strategy's documents."""
        return [sentence.claim for sentence in self._first(strategy)[:_TRUE]]

    def slips(self, strategy: str) -> list[list[Claim]]:
        """Return, for each sentence of a strategy, the sentence with one slip or another, of kinds drawn by lot."""
        return [
            [Claim(sentence.claim.evidence, text) for text in self._slips(sentence)]
            for sentence in self._first(strategy)
        ]

    def contradicting(self) -> Iterator[Pair]:
        """Yield the sentences of all strategies, each beside itself with a slip."""
        for sentence in self._all():
            yield from (Pair(sentence.claim.text, text) for text in self._slips(sentence)[:1])

    def compatible(self) -> Iterator[Pair]:
        """Yield the sentences of all strategies, each beside the next one of its document."""
        for sentence in self._all():
            following = split_sentences(sentence.around, self._language)
            if sentence.claim.text in following[:-1]:
                yield Pair(sentence.claim.text, following[following.index(sentence.claim.text) + 1])

    def claims(self) -> Iterator[Claim]:
        """Yield the sentences and the slips of all strategies; those about the same texts stand together."""
        for strategy in self._drawn:
            slipped = chain.from_iterable(self.slips(strategy))
            yield from sorted((*self.sentences(strategy), *slipped), key=lambda claim: claim.evidence)

    def _all(self) -> Iterator[_Sentence]:
        return chain.from_iterable(map(self._first, self._drawn))

    def _first(self, strategy: str) -> list[_Sentence]:
        """Return the sentences drawn, those with the lowest digests, which are as good as drawn by lot."""
        return [sentence for _, sentence in sorted(self._drawn.get(strategy, {}).items())]

    def _slips(self, sentence: _Sentence) -> list[str]:
        found = [slip.text for slip in slips(sentence.claim.text, self._language, sentence.around)]
        return sorted(found, key=_digest)[:_SLIPS]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
