"""Running text -> the facts it states, sentence by sentence, by a data set's grammar."""

import re
from functools import lru_cache

from axolotl_augft.bench.datasets.facts import Fact
from axolotl_augft.bench.datasets.grammar import Grammar
from axolotl_augft.text.sentences import split_sentences

# "All A are B, and all B are C, so all A are C." states three facts, of which a grammar of single sentences understands
# none.
_CLAUSE = re.compile(
    r"[,;:]\s+(?:and|so|hence|thus|therefore|which means(?: that)?|it follows "
    r"that)\b[\s,]*|;\s+|\s+so\s+(?=\S+\s+\S+\s)"
)


class Reader:
    """Reads texts with a grammar; a text that comes again is not read again."""

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self.facts = lru_cache(maxsize=65536)(self._facts)

    def _facts(self, text: str) -> tuple[Fact, ...]:
        """The facts of every sentence that is understood, each once, in their order."""
        return tuple(dict.fromkeys(fact for sentence in split_sentences(text) for fact in self._sentence(sentence)))

    def _sentence(self, sentence: str) -> tuple[Fact, ...]:
        """The sentence as a whole, else clause by clause if every clause is understood."""
        if whole := self._grammar.read(sentence):
            return whole
        clauses = [self._grammar.read(clause) for clause in _CLAUSE.split(sentence)]
        return tuple(fact for facts in clauses for fact in facts) if all(clauses) else ()
