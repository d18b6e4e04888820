"""Statements with their probabilities -> which of them repeat another one, or a sentence of the sources.

Two statements are taken as one if they have the same wording (`text.wording`). Where a verifier gave both a
probability, they are also taken as one if they differ in a single word that is no name and no number, unless the
sources have both words. Such a pair either says the same ("stored", "located") or cannot both be true ("older",
"younger"): the more probable one is kept in either case. Words that the sources have side by side ("Some are
simultaneous …", "Some are sequential …") make two statements.

Other orders of the same words are other statements, whatever they say, and so is one with a word more, such as "not".
"""

import hashlib
import pickle
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache, partial

import numpy as np
import numpy.typing as npt

from axolotl_augft.files.made_once import MadeOnce
from axolotl_augft.text.sentences import split_sentences
from axolotl_augft.text.wording import spoken_words

_FEWEST_WORDS, _MOST_WORDS = 6, 40
"""Lengths of statements of which one word may differ."""
_SENTENCE_END = re.compile(r"[.!?…。！？।؟]\W*\w|\n")
_REMEMBERED, _REMEMBERED_BYTES = 64, 1 << 22
_LONG = 8 * 1024
"""Characters of premises that take longer to compare than to find again what that came to."""
_UNKNOWN = -1.0
_GIVEN, _OWN = 1, 2
_Numbers = npt.NDArray[np.uint64]


class Repeats(StrEnum):
    """What a statement repeats: a sentence of the sources, or another statement in the same words or but for one."""

    SOURCE = "source"
    STATEMENT = "statement"
    STATEMENT_BUT_FOR_ONE_WORD = "statement_but_for_one_word"


_VERDICTS: tuple[Repeats | None, ...] = (None, *Repeats)


@dataclass(frozen=True, slots=True)
class _Gap:
    """A word that may be replaced, with the digest of the wording that has a gap in its place."""

    word: str
    key: int


@dataclass(frozen=True, slots=True)
class _Premises:
    """The texts that a statement is about, as far as they are compared.

    Attributes:
        keys: Digests of the wordings of their sentences.
        words: All their words.
        gaps: Digests of the wordings of their sentences with a gap in place of each word.
    """

    keys: frozenset[int]
    words: frozenset[str]
    gaps: frozenset[int]

    @classmethod
    def of(cls, texts: Iterable[str], language: str) -> "_Premises":
        """Read texts."""
        sentences = [words for text in texts for words in _sentences(text, language)]
        return cls(
            frozenset(map(_key, sentences)),
            frozenset(word.casefold() for words in sentences for word in words),
            frozenset(gap.key for words in sentences for gap in _gaps(words)),
        )


class NearDuplicates:
    """Finds statements that repeat others; asked about them only when all have been added.

    A million statements take some 450 MB at the end: 25 bytes for each, 13 for each word that may be replaced, and as
    much again to sort them. The outcome depends on the texts, their probabilities and their order only.

    Args:
        sources: The texts of the data set; a statement with the wording of one of their sentences is a repetition.
        language: ISO 639 code of the texts.
    """

    def __init__(self, sources: Iterable[str] = (), language: str = "en") -> None:
        self._language = language
        keys = array("Q", (_key(words) for text in sources for words in _sentences(text, language)))
        self._premises = lru_cache(maxsize=_REMEMBERED)(self._read_premises)
        self._long_premises = MadeOnce[bytes, _Premises](_dumped, pickle.loads, _REMEMBERED_BYTES)
        self._sources: _Numbers = np.unique(np.frombuffer(keys, dtype=np.uint64))
        self._positions = array("q")
        self._keys = array("Q")
        self._probabilities = array("d")
        self._gaps = _Gaps()
        self._verdicts = bytearray()
        self._settled = False

    def add(
        self,
        position: int,
        text: str,
        probability: float | None,
        premises: tuple[str, ...] = (),
        same: str | None = None,
    ) -> None:
        """Add a statement.

        Args:
            position: Its number in document order; each call needs a higher one.
            text: The statement.
            probability: How probable it is that the statement is true, None if that is not known.
            premises: The texts that it must follow from.
            same: What two statements have in common if they are taken as one, such as a question. Default: the text.
        """
        assert not self._settled, "all statements are added before the first question"
        words, about = spoken_words(text, self._language), self._premises(premises)
        gaps = list(_gaps(words)) if probability is not None else []
        self._verdicts.extend(bytes(position - len(self._verdicts) + 1))
        if self._is_of_the_sources(text, words, gaps, about):
            self._verdicts[position] = _VERDICTS.index(Repeats.SOURCE)
            return
        for gap in gaps:
            self._gaps.add(gap.key, len(self._keys), own=gap.word not in about.words)
        self._positions.append(position)
        self._keys.append(_key(words if same is None else spoken_words(same, self._language)))
        self._probabilities.append(_UNKNOWN if probability is None else probability)

    def repeats(self, position: int) -> Repeats | None:
        """Return what the statement repeats; None if it is the one to keep, as the most probable of its kind.

        Among equally probable ones, the first is kept.
        """
        if not self._settled:
            self._settle()
        return _VERDICTS[self._verdicts[position]]

    def _is_of_the_sources(self, text: str, words: Sequence[str], gaps: Iterable[_Gap], about: _Premises) -> bool:
        if self._is_source(words, about) or any(g.key in about.gaps and g.word not in about.words for g in gaps):
            return True
        several = _SENTENCE_END.search(text) is not None
        return several and all(self._is_source(sentence, about) for sentence in _sentences(text, self._language))

    def _is_source(self, words: Sequence[str], about: _Premises) -> bool:
        key = _key(words)
        if key in about.keys:
            return True
        at = int(np.searchsorted(self._sources, np.uint64(key)))
        return at < len(self._sources) and int(self._sources[at]) == key

    def _read_premises(self, texts: tuple[str, ...]) -> _Premises:
        """Compare long premises, such as the documents of a context group, once, and then read what that came to.

        The statements about them are spread over the data set.
        """
        make = partial(_Premises.of, texts, self._language)
        if sum(map(len, texts)) < _LONG:
            return make()
        return self._long_premises.get(hashlib.sha256("\0".join(texts).encode()).digest(), make)

    def _settle(self) -> None:
        """Decide on all statements, from the most to the least probable."""
        self._settled = True
        keys = np.frombuffer(self._keys, dtype=np.uint64)
        best_first = np.argsort(-np.frombuffer(self._probabilities), kind="stable")
        wordings = best_first[np.sort(np.unique(keys[best_first], return_index=True)[1])]
        positions = np.frombuffer(self._positions, dtype=np.int64)
        verdicts = np.frombuffer(self._verdicts, dtype=np.uint8)
        verdicts[positions] = _VERDICTS.index(Repeats.STATEMENT)
        verdicts[positions[wordings]] = _VERDICTS.index(Repeats.STATEMENT_BUT_FOR_ONE_WORD)
        verdicts[positions[self._gaps.admitted(wordings)]] = _VERDICTS.index(None)


class _Gaps:
    """Wordings with a gap, each with the statement that it comes from and whether the gap's word is its own.

    Own is a word that the statement's premises do not have.
    """

    def __init__(self) -> None:
        self._keys = array("Q")
        self._statements = array("I")
        self._own = array("B")

    def add(self, key: int, statement: int, own: bool) -> None:
        self._keys.append(key)
        self._statements.append(statement)
        self._own.append(own)

    def admitted(self, statements: npt.NDArray[np.int64]) -> list[int]:
        """Return the statements, in the given order, that differ from all returned before in more than an own word."""
        found = np.frombuffer(self._statements, dtype=np.uint32)
        chosen = np.flatnonzero(np.isin(found, statements))
        _, gap, often = np.unique(
            np.frombuffer(self._keys, dtype=np.uint64)[chosen], return_inverse=True, return_counts=True
        )
        shared = often[gap] > 1
        chosen, gap = chosen[shared], gap[shared]
        starts = np.searchsorted(found[chosen], statements).tolist()
        ends = np.searchsorted(found[chosen], statements, side="right").tolist()
        own = np.frombuffer(self._own, dtype=np.bool_)[chosen]
        taken = bytearray(len(often))
        kept = []
        for statement, start, end in zip(statements.tolist(), starts, ends, strict=True):
            gaps = list(zip(gap[start:end].tolist(), own[start:end].tolist(), strict=True)) if end > start else []
            if not any(taken[g] == _OWN or (is_own and taken[g]) for g, is_own in gaps):
                kept.append(statement)
                for g, is_own in gaps:
                    taken[g] = max(taken[g], _OWN if is_own else _GIVEN)
        return kept


def _key(words: Sequence[str]) -> int:
    return int.from_bytes(hashlib.blake2b(" ".join(words).casefold().encode(), digest_size=8).digest())


def _gaps(words: Sequence[str]) -> Iterator[_Gap]:
    """Yield the words that are no names or numbers, in a script that can tell by capitals."""
    if not _FEWEST_WORDS <= len(words) <= _MOST_WORDS:
        return
    for i, word in enumerate(words):
        if i and word.islower() and not any(map(str.isdigit, word)):
            yield _Gap(word.casefold(), _key([*words[:i], "\0", *words[i + 1 :]]))


def _sentences(text: str, language: str) -> Iterator[list[str]]:
    """Yield the words of each sentence of a text."""
    return (spoken_words(sentence, language) for sentence in split_sentences(text, language))


def _dumped(premises: _Premises) -> bytes:
    # Nothing but this process can read the file, so there is no reason against pickle.
    return pickle.dumps(premises, pickle.HIGHEST_PROTOCOL)
