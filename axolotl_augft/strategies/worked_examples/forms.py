"""Sentences -> their forms: which words they hold, and in which order, with names and numbers masked.

Sentences of one form say the same kind of thing: "X are more F than Y" resembles other comparisons rather than other
sentences about X.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from axolotl_augft.remembered import Remembered
from axolotl_augft.text.bm25 import Bm25

_WORD = re.compile(r"\w+(?:['’-]\w+)*|\S")
_QUOTED = re.compile(r"[\"“”«»][^\"“”«»]{1,200}[\"“”«»]")
_NAME, _NUMBER, _START = "<name>", "<number>", "<start>"
_AS_A_NAME = " NameQuoted "
_OPENERS = frozenset(
    "a all an any at both did each every if in most no not on only some the these this those when while".split()
)
_REMEMBERED = 1 << 14
_LONGEST_REMEMBERED = 32


def _quotations_masked(sentence: str) -> str:
    return _QUOTED.sub(_AS_A_NAME, sentence)


def _masked(word: str) -> str:
    """Mask a word that does not open its sentence."""
    if word[0].isdigit():
        return _NUMBER
    return _NAME if word[0].isupper() else word.lower()


def form_tokens(sentence: str) -> list[str]:
    """Split a sentence into words, followed by word pairs, with names, quotations and numbers masked.

    A capitalised word counts as a name. Because most sentences begin with a capital, the first word does so only if
    another capitalised word follows and it is no common opener ("the", "some", …).
    """
    words = _WORD.findall(_quotations_masked(sentence))
    every = list(map(_masked, words))
    if every[:1] == [_NAME] and (every[1:2] != [_NAME] or words[0].lower() in _OPENERS):
        every[0] = words[0].lower()
    # Names that follow each other are one.
    masked = [token for token, last in zip(every, ["", *every], strict=False) if token != _NAME or last != _NAME]
    return masked + list(map(" ".join, zip([_START, *masked], masked, strict=False)))


@dataclass(frozen=True)
class FormScores:
    """How sentences resemble the indexed ones.

    Attributes:
        scores: BM25 over `form_tokens`, shape (sentences, indexed sentences); 0 without a common token.
        opens_with_name: Whether the first half of the words of each sentence contains a name, shape (sentences,).
    """

    scores: npt.NDArray[np.float32]
    opens_with_name: npt.NDArray[np.bool_]


class FormIndex:
    """Indexed sentences, by whose forms many others are scored at once.

    It finds what `form_tokens` and `Bm25` find, to the bit, for all sentences in a few calls of numpy.

    Args:
        sentences: The sentences to index; at least one must have a word (`load_pool` sees to it).
    """

    def __init__(self, sentences: Sequence[str]) -> None:
        from scipy import sparse

        texts = [form_tokens(s) for s in sentences]
        index = Bm25(texts)
        self._row = {token: row + 1 for token, row in index.rows.items()}
        for token in (_NAME, _START):
            self._row.setdefault(token, max(self._row.values()) + 1)
        self._name, self._start = self._row[_NAME], self._row[_START]
        self._rows_of = Remembered(self._read_chunk, _REMEMBERED, _LONGEST_REMEMBERED)
        self._opening = Remembered(self._read_opening, _REMEMBERED, _LONGEST_REMEMBERED)
        self._width = max(self._row.values()) + 1
        pairs = sorted(
            (self._row[first] * self._width + self._row[second], row)
            for token, row in self._row.items()
            if " " in token
            for first, second in [token.split(" ")]
        )
        self._pairs, self._pair_rows = np.array(pairs, dtype=np.int64).T
        # Row 0 is for what no indexed sentence has; it is empty, as are those of masks that none has.
        table = index.table
        ends = np.pad(table.indptr, (1, self._width - 1 - table.shape[0]), mode="edge")
        self._table = sparse.csr_array((table.data, table.indices, ends), shape=(self._width, len(texts)))

    def scores(self, sentences: Sequence[str]) -> FormScores:
        """Score each indexed sentence for each of `sentences`."""
        from scipy import sparse

        words, of = self._read(sentences)
        counts = np.bincount(of, minlength=len(sentences))
        starts = np.cumsum(counts) - counts
        places = np.arange(len(words)) - starts[of]
        before = np.where(places > 0, np.roll(words, 1), self._start)
        # Rows are added in the order of `form_tokens`, words and then pairs, so that the floats are those of bm25s.
        rows = np.empty(2 * len(words), dtype=np.int32)
        rows[2 * starts[of] + places] = words
        rows[2 * starts[of] + counts[of] + places] = self._pair(before, words)
        ends = np.concatenate([[0], 2 * np.cumsum(counts)]).astype(np.int32)
        shape = (len(sentences), self._table.shape[0])
        table = sparse.csr_array((np.ones(len(rows), np.float32), rows, ends), shape=shape)
        first_half = places < (counts[of] + 1) // 2
        opens = np.bincount(of[first_half & (words == self._name)], minlength=len(sentences)) > 0
        return FormScores((table @ self._table).toarray(), opens)

    def _read(self, sentences: Sequence[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the rows of the words of all sentences in turn, and for each word the number of its sentence."""
        chunks = [_quotations_masked(s).split() for s in sentences]
        read = [list(chain.from_iterable(map(self._rows_of.__getitem__, own))) for own in chunks]
        lengths = np.fromiter(map(len, read), dtype=np.int64, count=len(read))
        of = np.repeat(np.arange(len(read)), lengths)
        rows = np.fromiter(chain.from_iterable(read), dtype=np.int64, count=len(of))
        first = (np.cumsum(lengths) - lengths)[lengths > 0]
        names = rows == self._name
        followed = np.append(names[1:], False)
        followed[first[1:] - 1] = False
        opening = first[names[first]]
        for i, number, more in zip(opening.tolist(), of[opening].tolist(), followed[opening].tolist(), strict=True):
            lowered, common = self._opening[chunks[number][0]]
            if common or not more:
                rows[i] = lowered
        names = rows == self._name
        repeated = names & np.roll(names, 1)
        repeated[first] = False
        return rows[~repeated], of[~repeated]

    def _read_chunk(self, chunk: str) -> tuple[int, ...]:
        """Return the rows of the words between two spaces; 0 for those that no indexed sentence has."""
        if chunk.isalnum():
            return (self._row.get(_masked(chunk), 0),)
        return tuple([self._row.get(_masked(word), 0) for word in _WORD.findall(chunk)])

    def _read_opening(self, chunk: str) -> tuple[int, bool]:
        """Return the row of the first word in small letters, and whether it is a common opener."""
        word = _WORD.findall(chunk)[0].lower()
        return self._row.get(word, 0), word in _OPENERS

    def _pair(self, first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the rows of pairs of words; 0 for those that no indexed sentence has."""
        codes = first * self._width + second
        nearest = np.minimum(np.searchsorted(self._pairs, codes), len(self._pairs) - 1)
        return np.where(self._pairs[nearest] == codes, self._pair_rows[nearest], 0)
