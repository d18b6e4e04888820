"""Facts <-> sentences: the protocol for wording a data set's facts and for reading the facts that a sentence states."""

from collections.abc import Sequence
from typing import Protocol

from axolotl_augft.bench.datasets.facts import Fact


class Grammar(Protocol):
    """The wording of one data set's facts.

    Attributes:
        is_complete: Whether what does not follow from the data set is false, so that denials can be judged.
        relations: Phrases that join two names in plain sentences, for models that put free phrasing into such ones; none
            if the facts are not of that form.
    """

    is_complete: bool
    relations: Sequence[str]

    def wordings(self, fact: Fact) -> Sequence[str]:
        """Return all sentences that state the fact, the plainest first; none for a fact that is never put into words.

        At least two for any fact that a document or a question states, so that one wording can be trained and another
        asked or written.
        """

    def read(self, sentence: str) -> tuple[Fact, ...]:
        """Read the facts that a sentence states, in its own wording or a teacher's; none if it is not understood.

        Reads every sentence of `wordings` back to its fact, and tolerates case, articles, punctuation and openings such
        as "Did you know that". It never guesses: a sentence that says something else (about another entity, or a
        negation) must not be read as the fact. A sentence of which any part is not understood states nothing.
        """

    def denied(self, sentence: str) -> tuple[Fact, ...]:
        """Read the facts that a sentence denies, alone ("zibs are not frant") or in a contrast ("unlike zibs, …").

        None if it denies none, or if any part of the sentence is not understood.
        """
