"""Facts <-> sentences: how a data set's facts are worded, and which facts a sentence states."""

from collections.abc import Sequence
from typing import Protocol

from axolotl_augft.bench.datasets.facts import Fact


class Grammar(Protocol):
    """The wording of one data set's facts."""

    def wordings(self, fact: Fact) -> Sequence[str]:
        """All sentences that state the fact, the plainest first; none for a fact that is never put into words.

        At least two for whatever a document or a test states, so that one wording can be trained and another one asked
        or written.
        """

    def read(self, sentence: str) -> tuple[Fact, ...]:
        """The facts that a sentence states, in its own wording or in a teacher's; none if it is not understood.

        Reads every sentence of `wordings` back to its fact, and tolerates case, articles, punctuation and openings such
        as "Did you know that". It never guesses: a sentence that says something else (another entity, a negation) must
        not be read as the fact.
        """
