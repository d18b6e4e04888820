"""Documents -> a score of each choice from words alone: what a reader that ignores all order could answer.

Every scorer sees a text as a set of words, so that "glorps are more frantic than zibs" and its reversal are one and the
same. A data set on which one of them beats a guess asks for less than an inference.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
from scipy import sparse

from axolotl_augft.bench.datasets.dataset import Question
from axolotl_augft.text.bm25 import Bm25

# The signs of a formula count as words.
_WORD = re.compile(r"\w+|[-+*/^&|=<>~]")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_UNSEEN = 0.5
_SAME_SCORE = 1e-6


@dataclass(frozen=True, slots=True)
class WordsAccuracy:
    """What one scorer reaches; choices that tie count as a guess among them.

    `standard_error`: that of a guesser's accuracy on the same questions.
    """

    scorer: str
    accuracy: float
    chance: float
    standard_error: float
    questions: int


class WordStatistics:
    """Word counts of the training documents.

    Args:
        documents: The training documents; their sentences are counted as well.
    """

    def __init__(self, documents: Sequence[str]) -> None:
        self._documents = _Texts(documents)
        self._sentences = _Texts([s for d in documents for s in sentences_of(d)])

    def scores(self, prompt: str, choice: str) -> dict[str, float]:
        """The score of a choice after a prompt, by scorer; the choice with the highest is the scorer's answer."""
        asked, offered = words_of(prompt), words_of(choice)
        return {
            "document counts": self._documents.meetings(asked, offered),
            "sentence counts": self._sentences.meetings(asked, offered),
            "document PMI": self._documents.association(asked, offered),
            "sentence PMI": self._sentences.association(asked, offered),
            "document profiles": self._documents.likeness(asked, offered),
            "document BM25": self._documents.relevance(asked, offered),
            "sentence BM25": self._sentences.relevance(asked, offered),
            "frequency": self._sentences.frequency(offered),
        }


def sentences_of(document: str) -> list[str]:
    """The parts of a document that end with a full stop, a question or exclamation mark, or a line."""
    return [s for s in _SENTENCE_END.split(document) if s.strip()]


def words_of(text: str) -> frozenset[str]:
    """The words of a text without case and without a plural's s, so that "Glorps" and "glorp" count as one."""
    return frozenset(_singular(w) for w in _WORD.findall(text.casefold()))


def words_accuracy(questions: Sequence[Question], statistics: WordStatistics) -> tuple[WordsAccuracy, ...]:
    """The accuracy of every scorer on the questions.

    Raises:
        ValueError: There are no questions.
    """
    if not questions:
        raise ValueError("words_accuracy needs at least one question, got none")
    credits = [_credits(q, statistics) for q in questions]
    chances = np.array([1 / len(q.choices) for q in questions])
    error = float(np.sqrt((chances * (1 - chances)).sum())) / len(questions)
    return tuple(
        WordsAccuracy(
            scorer, float(np.mean([c[scorer] for c in credits])), float(chances.mean()), error, len(questions)
        )
        for scorer in credits[0]
    )


def _credits(question: Question, statistics: WordStatistics) -> dict[str, float]:
    """By scorer: 1 / n if the right choice is one of the n that share the first place, otherwise 0."""
    by_choice = [statistics.scores(question.prompt, c) for c in question.choices]
    credits = {}
    for scorer in by_choice[0]:
        scores = [s[scorer] for s in by_choice]
        first = [s >= max(scores) - _SAME_SCORE for s in scores]
        credits[scorer] = first[question.answer] / sum(first)
    return credits


class _Texts:
    """Which words stand in which texts."""

    def __init__(self, texts: Sequence[str]) -> None:
        words = [sorted(words_of(t)) for t in texts]
        self._ids = {w: i for i, w in enumerate(sorted({w for text in words for w in text}))}
        self._size = max(len(texts), 1)
        counts = self._together(words)
        self._counts = np.maximum(counts.diagonal(), 1)
        # log(count / _UNSEEN): zero, and so left out of the sparse matrix, for words that never meet.
        counts.data = np.log1p(counts.data / _UNSEEN)
        self._logs = counts
        self._bm25 = Bm25([w or ["_"] for w in words] or [["_"]])
        self._prompt_logs = lru_cache(maxsize=1)(self._sum_of_logs)
        self._prompt_likeness = lru_cache(maxsize=1)(self._sum_of_cosines)
        self._prompt_relevance = lru_cache(maxsize=1)(self._bm25_scores)

    def meetings(self, prompt: frozenset[str], choice: frozenset[str]) -> float:
        """The mean logarithm of the number of texts that hold a word of the prompt and a word of the choice, in nats above that of none."""
        return float(self._prompt_logs(prompt)[self._known(choice)].sum()) / _pairs(prompt, choice)

    def association(self, prompt: frozenset[str], choice: frozenset[str]) -> float:
        """The mean pointwise mutual information of the prompt's words with the choice's, in nats; 0 for a pair with a word never seen."""
        rows, columns = self._known(prompt), self._known(choice)
        together = self._prompt_logs(prompt)[columns].sum() + len(rows) * len(columns) * np.log(_UNSEEN * self._size)
        apart = len(columns) * np.log(self._counts[rows]).sum() + len(rows) * np.log(self._counts[columns]).sum()
        return float(together - apart) / _pairs(prompt, choice)

    def likeness(self, prompt: frozenset[str], choice: frozenset[str]) -> float:
        """The mean cosine of the prompt's and the choice's words by what words they meet, so that words count which meet a third only."""
        return float(self._prompt_likeness(prompt)[self._known(choice)].sum()) / _pairs(prompt, choice)

    def relevance(self, prompt: frozenset[str], choice: frozenset[str]) -> float:
        """The BM25 score of the text that fits prompt and choice best."""
        return float((self._prompt_relevance(prompt) + self._bm25_scores(choice - prompt)).max())

    def frequency(self, choice: frozenset[str]) -> float:
        """The mean logarithm of the number of texts that hold a word of the choice; a word never seen counts as half a text."""
        known = np.log(self._counts[self._known(choice)])
        unseen = len(choice) - len(known)
        return float(known.sum() + unseen * np.log(_UNSEEN)) / max(len(choice), 1)

    def _together(self, words: Sequence[Sequence[str]]) -> sparse.csr_array:
        """Words x words: the number of texts that hold both."""
        columns = [self._ids[w] for text in words for w in text]
        rows = [i for i, text in enumerate(words) for _ in text]
        presence = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(words), len(self._ids)))
        return (presence.T @ presence).tocsr()

    def _known(self, words: frozenset[str]) -> list[int]:
        return [self._ids[w] for w in sorted(words) if w in self._ids]

    def _sum_of_logs(self, prompt: frozenset[str]) -> npt.NDArray[np.float64]:
        return np.asarray(self._logs[self._known(prompt)].sum(axis=0)).ravel()

    @cached_property
    def _profiles(self) -> sparse.csr_array:
        """For each word a unit vector over the words it meets; the rarer of them weigh more."""
        weighted = self._logs @ sparse.diags_array(np.log1p(self._size / self._counts))
        lengths = np.sqrt(weighted.multiply(weighted).sum(axis=1))
        return (sparse.diags_array(1 / np.maximum(lengths, _SAME_SCORE)) @ weighted).tocsr()

    def _sum_of_cosines(self, prompt: frozenset[str]) -> npt.NDArray[np.float64]:
        return np.asarray(self._profiles @ self._profiles[self._known(prompt)].sum(axis=0))

    def _bm25_scores(self, words: frozenset[str]) -> npt.NDArray[np.float32]:
        return self._bm25.scores(sorted(words))


def _pairs(prompt: frozenset[str], choice: frozenset[str]) -> int:
    return max(len(prompt) * len(choice), 1)


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
