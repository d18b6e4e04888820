"""Many texts -> for some of them, the most similar others by BM25, in time that grows as the number of texts does.

To score a text against all others takes time that grows with the square of their number, nearly all of it for words
that most texts have and that say next to nothing. So a text looks up its rarest words first, and stops before it has
seen more than `_LOOK_UPS` texts. The best `_CANDIDATES` of these are then scored by all words: their scores are those
of bm25s, to the last bit. Among a thousand texts or so, nothing is missed; beyond, the time for a text stays the same.

The list of texts that have a word is cut into stretches of `_LOOK_UPS` texts. A text without a word that is rarer than
that looks up one stretch, of its rarest word: the one that the text itself is in.

The index takes some 16 bytes for each different word of each text, 20 if there are more than 2^31 of these. scipy's
sparse product adds up the scores.
"""

import re
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from axolotl_augft.batched import batched

_WORD = re.compile(r"\w+")
_LOOK_UPS = 8192
_CANDIDATES = 200
_K1, _B = 1.5, 0.75
_AT_ONCE = 256
_QUERIES = 256
_ENTRIES = 1 << 20
_MOST_INT32 = (1 << 31) - 1

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Nearest:
    """The most similar texts of some texts, most similar first; of equally similar ones, earlier texts first.

    Attributes:
        numbers: Numbers of the similar texts, shape (queries, most), -1 where there are no more.
        scores: Their BM25 scores, of the same shape.
    """

    numbers: Ints
    scores: Floats


class Neighbours:
    """Index of texts by their words, for finding similar texts.

    Args:
        texts: The texts; iterated once, and not kept.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        from scipy import sparse

        found = _Stretches()
        for some in batched(texts, _AT_ONCE):
            found.add(some)
        self._entries = entries = found.entries()
        self._weights = _weights(entries, found.counts())
        starts = entries.starts.astype(np.int32) if entries.starts[-1] <= _MOST_INT32 else entries.starts
        table = sparse.csr_array((self._weights, entries.stretches, starts), shape=(entries.texts, found.count))
        self._postings = table.T.tocsr()
        self._sizes = np.diff(self._postings.indptr)
        self._place = np.zeros(len(entries.word_of), dtype=np.int32)

    def nearest(self, texts: Sequence[int], most: int) -> Nearest:
        """Find the most similar texts of the texts with these numbers.

        Args:
            texts: Numbers of texts, in the order in which the index got them.
            most: Most texts to find for each. The text itself is not among them.
        """
        numbers = np.full((len(texts), most), -1, dtype=np.int32)
        scores = np.zeros((len(texts), most), dtype=np.float32)
        row = 0
        for some in batched(texts, _QUERIES):
            queries = [self._query(text) for text in some]
            product = self._table(queries) @ self._postings
            for text, query, start, end in zip(some, queries, product.indptr, product.indptr[1:], strict=False):
                own = Nearest(product.indices[start:end], product.data[start:end])
                best = _best(own, text, most) if self._is_complete(text, query) else self._rescored(own, text, most)
                numbers[row, : len(best.numbers)], scores[row, : len(best.scores)] = best.numbers, best.scores
                row += 1
        return Nearest(numbers, scores)

    def _query(self, text: int) -> Ints:
        """Return what a text looks up, in the order of its words, in which bm25s adds up their scores."""
        own = self._entries.of(text)
        sizes = self._sizes[own]
        if sizes.sum() <= _LOOK_UPS:
            return own
        rare = np.flatnonzero((sizes == self._entries.texts_with[own]) & (sizes <= _LOOK_UPS))
        if not len(rare):
            return own[[np.argmin(self._entries.texts_with[own])]]
        order = rare[np.argsort(sizes[rare], kind="stable")]
        before = np.cumsum(sizes[order]) - sizes[order]
        return own[np.sort(order[before + sizes[order] <= _LOOK_UPS])]

    def _is_complete(self, text: int, query: Ints) -> bool:
        """Whether a query looks up every text that has one of the text's words."""
        own = self._entries.of(text)
        return len(query) == len(own) and bool(np.all(self._sizes[own] == self._entries.texts_with[own]))

    def _table(self, queries: Sequence[Ints]) -> Any:
        """Return queries as a scipy array of shape (queries, stretches) whose entries are 1."""
        from scipy import sparse

        joined = np.concatenate(queries)
        # Of the postings' type: scipy copies whichever of two arrays has the narrower one.
        starts = np.cumsum([0, *map(len, queries)], dtype=self._postings.indptr.dtype)
        shape = (len(queries), self._postings.shape[0])
        return sparse.csr_array((np.ones(len(joined), dtype=np.float32), joined, starts), shape=shape)

    def _rescored(self, found: Nearest, text: int, most: int) -> Nearest:
        """Score the best of the texts that were found by all words of the text."""
        entries = self._entries
        candidates = _best(found, text, _CANDIDATES).numbers
        if not len(candidates):
            return Nearest(candidates, found.scores[:0])
        starts, ends = entries.starts[candidates], entries.starts[candidates + 1]
        sizes = ends - starts
        at = np.arange(sizes.sum()) + np.repeat(starts - np.cumsum(sizes) + sizes, sizes)
        words = entries.word_of[entries.of(text)]
        self._place[words] = np.arange(1, len(words) + 1)
        places = self._place[entries.word_of[entries.stretches[at]]]
        self._place[words] = 0
        # Added up in the order of the text's words, as in a complete query.
        shared = np.flatnonzero(places)
        shared = shared[np.argsort(places[shared].astype(np.min_scalar_type(len(words))), kind="stable")]
        scores = np.zeros(len(candidates), dtype=np.float32)
        np.add.at(scores, np.repeat(np.arange(len(candidates)), sizes)[shared], self._weights[at[shared]])
        return _best(Nearest(candidates, scores), text, most)


def _best(found: Nearest, own: int, most: int) -> Nearest:
    """Return the highest scores of one text other than its own."""
    numbers, scores = found.numbers, found.scores
    if len(scores) > most + 1:
        enough = np.partition(scores, -most - 1)[-most - 1]
        high = np.flatnonzero(scores >= enough)
        numbers, scores = numbers[high], scores[high]
    order = np.lexsort((numbers, -scores))[: most + 1]
    order = order[numbers[order] != own][:most]
    return Nearest(numbers[order], scores[order])


@dataclass(frozen=True)
class _Entries:
    """The different words of all texts, text by text, each as the stretch of its word that the text is in.

    Attributes:
        stretches: Number of the stretch, for each entry.
        starts: Where each text's entries start, and the end of the last.
        lengths: Number of words of each text.
        word_of: The number of each stretch's word.
        texts_with: For each stretch, number of texts that have its word, in any stretch of it.
    """

    stretches: Ints
    starts: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    word_of: Ints
    texts_with: npt.NDArray[np.int64]

    @property
    def texts(self) -> int:
        """Number of texts."""
        return len(self.lengths)

    def of(self, text: int) -> Ints:
        """Return the stretches of a text's words, in the order of the text."""
        return self.stretches[self.starts[text] : self.starts[text + 1]]


def _weights(entries: _Entries, counts: Ints) -> Floats:
    """Return what each entry adds to the score of its text: BM25, as bm25s computes Lucene's variant.

    Args:
        entries: The entries.
        counts: How often the text has the word, for each entry.
    """
    number, having = entries.texts, entries.texts_with
    rarity = np.log(1 + (number - having + 0.5) / (having + 0.5)).astype(np.float32)
    spread = _K1 * (1 - _B + _B * entries.lengths / max(1.0, entries.lengths.mean() if number else 0.0))
    weights = np.empty(len(entries.stretches), dtype=np.float32)
    text_of = np.searchsorted(entries.starts, np.arange(0, len(weights), _ENTRIES), side="right") - 1
    for start, first in zip(range(0, len(weights), _ENTRIES), text_of, strict=True):
        end = min(start + _ENTRIES, len(weights))
        last = int(np.searchsorted(entries.starts, end - 1, side="right"))
        sizes = np.diff(np.clip(entries.starts[first : last + 1], start, end))
        some = counts[start:end].astype(np.float32)
        saturated = some / (np.repeat(spread[first:last], sizes) + some)
        weights[start:end] = rarity[entries.stretches[start:end]] * saturated
    return weights


@dataclass
class _Stretches:
    """Collects the words of texts, and cuts each word's list of texts into stretches.

    Attributes:
        count: Number of stretches so far.
    """

    count: int = 0
    _words: defaultdict[str, int] = field(default_factory=defaultdict)
    _current: Ints = field(default_factory=lambda: np.zeros(1024, dtype=np.int32))
    _sizes: Ints = field(default_factory=lambda: np.zeros(1024, dtype=np.int32))
    _word_of: list[Ints] = field(default_factory=list)
    _stretches: list[Ints] = field(default_factory=list)
    _counts: list[Ints] = field(default_factory=list)
    _entries: list[npt.NDArray[np.int64]] = field(default_factory=list)
    _lengths: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._words.default_factory = self._words.__len__

    def add(self, texts: Sequence[str]) -> None:
        """Add texts; a stretch that has become long enough ends with them."""
        known, words, lengths = len(self._words), array("i"), []
        for text in texts:
            before = len(words)
            words.extend(map(self._words.__getitem__, _WORD.findall(text.casefold()) or ["_"]))
            lengths.append(len(words) - before)
        self._begin(np.arange(known, len(self._words), dtype=np.int32))
        text_of = np.repeat(np.arange(len(texts)), lengths)
        word = np.frombuffer(words, dtype=np.int32)
        _, first, counts = np.unique(text_of * len(self._words) + word, return_index=True, return_counts=True)
        order = np.argsort(first)
        word, text_of = word[first[order]], text_of[first[order]]
        self._stretches.append(self._current[word])
        self._counts.append(counts[order].astype(np.int32))
        self._entries.append(np.bincount(text_of, minlength=len(texts)))
        self._lengths += lengths
        used, sizes = np.unique(word, return_counts=True)
        self._sizes[self._current[used]] += sizes.astype(np.int32)
        self._begin(used[self._sizes[self._current[used]] >= _LOOK_UPS])

    def _begin(self, words: Ints) -> None:
        """Begin a stretch of each of some words, whose texts from now on count to it."""
        self._current = _with_room(self._current, len(self._words))
        self._sizes = _with_room(self._sizes, self.count + len(words))
        self._current[words] = np.arange(self.count, self.count + len(words))
        self._word_of.append(words)
        self.count += len(words)

    def entries(self) -> _Entries:
        """Return all entries; what was collected of them is given away."""
        word_of = _joined(self._word_of)
        texts_with = np.zeros(len(self._words), dtype=np.int64)
        np.add.at(texts_with, word_of, self._sizes[: self.count])
        starts = np.concatenate([[0], np.cumsum(_joined(self._entries), dtype=np.int64)])
        lengths = np.array(self._lengths, dtype=np.int64)
        return _Entries(_joined(self._stretches), starts, lengths, word_of, texts_with[word_of])

    def counts(self) -> Ints:
        """Return how often the text has the word, for each entry; what was collected of that is given away."""
        return _joined(self._counts)


def _with_room(numbers: Ints, length: int) -> Ints:
    """Return an array of at least this length that begins with the numbers."""
    if len(numbers) >= length:
        return numbers
    return np.concatenate([numbers, np.zeros(max(length - len(numbers), len(numbers)), dtype=np.int32)])


def _joined(parts: list[Any]) -> npt.NDArray[Any]:
    """Join arrays, and empty the list that held them."""
    joined = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int32)
    parts.clear()
    return joined
