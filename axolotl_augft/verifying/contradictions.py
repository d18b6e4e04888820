"""Verified statements -> which of them contradict a source sentence, or a more probable statement.

The verifier is asked of near pairs whether both sentences can be true at the same time. How sure a "no" must be is
found by planted slips: a true sentence and the same with a slip cannot both be true, two neighbouring sentences of a
source are.

A statement is paired with the source sentences, and with the other statements about the same names, that share the most
of its rare words (BM25). Everything is compared within a window, so that time and memory grow with the number of
statements and not with its square.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby

import numpy as np
import numpy.typing as npt

from axolotl_augft.judging.rules import Judged, Reason
from axolotl_augft.teacher.request import Request
from axolotl_augft.text.bm25 import Bm25
from axolotl_augft.text.sentences import split_sentences
from axolotl_augft.text.words import matched_words, normalised
from axolotl_augft.verifying.inquiry import Inquiry, Pair
from axolotl_augft.verifying.planted import PlantedSample
from axolotl_augft.verifying.records import ContradictionRecord
from axolotl_augft.verifying.slips import names
from axolotl_augft.verifying.threshold import area_under_curve

_EACH = 2
"""Source sentences, and other statements, that a statement is paired with at most."""
_LOOKED_AT = 16
_WINDOW = 4096
_FEWEST = 20
_CHANCE = 0.6
_COMPATIBLE = 0.02
"""Share of the pairs of true sentences that may be taken for contradictions."""


@dataclass(frozen=True, slots=True)
class NearPair:
    """A statement beside a source sentence or another statement.

    Attributes:
        pair: Their texts.
        statement: Position of the statement in its window.
        other: Position of the other statement, None for a source sentence.
    """

    pair: Pair
    statement: int
    other: int | None = None


class Contradictions:
    """Finds contradictions by the stored answers of a verifier.

    Args:
        inquiry: Asks the verifier.
        planted: Draws the sentences and slips by which a threshold is found.
        language: ISO 639 code of the statements' language.
    """

    def __init__(self, inquiry: Inquiry, planted: Callable[[], PlantedSample], language: str) -> None:
        self._inquiry = inquiry
        self._planted = planted
        self._language = language

    def requests(self, verified: Iterable[Judged]) -> Iterator[Request]:
        """Yield the requests about the pairs of verified statements, and those by which the threshold is found."""
        planted = self._planted()
        yield from self._inquiry.requests_together(chain(planted.contradicting(), planted.compatible()))
        for window in _windows(verified):
            yield from self._inquiry.requests_together(near.pair for near in self._near(window))

    def record(self) -> ContradictionRecord:
        """Find how sure a verifier must be; if it cannot tell planted contradictions, nothing is one."""
        planted = self._planted()
        against, together = (
            np.array([p for p in self._inquiry.contradictions(pairs) if p is not None])
            for pairs in (planted.contradicting(), planted.compatible())
        )
        auc = area_under_curve(against, together)
        if min(len(against), len(together)) < _FEWEST or auc is None or auc < _CHANCE:
            return ContradictionRecord(None, len(against), len(together), auc, None)
        # Pairs that are as sure as the last one that may be taken for a contradiction do not count.
        threshold = float(np.sort(together)[-1 - int(_COMPATIBLE * len(together))])
        return ContradictionRecord(threshold, len(against), len(together), auc, float(np.mean(against > threshold)))

    def decided(self, verified: Iterable[Judged], record: ContradictionRecord) -> Iterator[Judged]:
        """Yield all statements in order, rejecting those that contradict, and the traces that end in one of these."""
        for window in _windows(verified):
            rejected: set[int] = set() if record.threshold is None else self._rejected(window, record.threshold)
            for j in window:
                yield replace(j, rejected=Reason.CONTRADICTED) if id(j) in rejected else j

    def _near(self, window: Sequence[Judged]) -> list[NearPair]:
        return list(near_pairs(_kept(window), self._language))

    def _rejected(self, window: Sequence[Judged], threshold: float) -> set[int]:
        kept, near = _kept(window), self._near(window)
        sure = self._inquiry.contradictions([n.pair for n in near])
        found = [(p, n) for p, n in zip(sure, near, strict=True) if p is not None and p > threshold]
        gone = {n.statement for _, n in found if n.other is None}
        for _, n in sorted(found, key=lambda item: -item[0]):
            if n.other is not None and not gone & {n.statement, n.other}:
                gone.add(min(n.other, n.statement, key=lambda i: (kept[i].probability or 0, -i)))
        tasks = {id(kept[i].task) for i in gone}
        traces = {id(j) for j in window if j.rejected is None and _is_trace(j) and id(j.task) in tasks}
        return {id(kept[i]) for i in gone} | traces


def _is_trace(judged: Judged) -> bool:
    return judged.inference.kind == "trace"


def _kept(window: Iterable[Judged]) -> list[Judged]:
    """Return what can be compared: what a model wrote, is kept and states something.

    A question and its answer state nothing alone.
    """
    return [
        j
        for j in window
        if j.rejected is None and j.task.is_asked and not _is_trace(j) and j.inference.question is None
    ]


def _windows(judged: Iterable[Judged]) -> Iterator[list[Judged]]:
    """Yield some thousand statements at a time, those of one answer together."""
    window: list[Judged] = []
    for _, of_answer in groupby(judged, key=lambda j: id(j.task)):
        window += of_answer
        if len(window) >= _WINDOW:
            yield window
            window = []
    if window:
        yield window


def near_pairs(kept: Sequence[Judged], language: str) -> Iterator[NearPair]:
    """Yield the pairs of the statements of a window, each once.

    Args:
        kept: The statements.
        language: ISO 639 code of their language.
    """
    sources = _Nearest(list(dict.fromkeys(s for text in _sources(kept) for s in split_sentences(text, language))))
    statements = _Nearest([j.inference.full_text for j in kept])
    named = [names(text) for text in statements.texts]
    paired: set[tuple[int, int]] = set()
    for i, text in enumerate(statements.texts):
        for sentence in sources.nearest(text)[:_EACH]:
            yield NearPair(Pair(sources.texts[sentence], text), i)
        about_the_same = [k for k in statements.nearest(text) if named[i] & named[k]]
        for k in about_the_same[:_EACH]:
            first, second = sorted((i, k))
            if (first, second) not in paired:
                paired.add((first, second))
                yield NearPair(Pair(statements.texts[first], statements.texts[second]), first, second)


def _sources(kept: Sequence[Judged]) -> Iterator[str]:
    """Yield each text that the statements are about, once."""
    yield from dict.fromkeys(text for j in kept for text in (j.task.target.text, *j.task.evidence))


class _Nearest:
    """Finds the nearest of some texts.

    Attributes:
        texts: The texts, each once.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self._wordings = [normalised(text) for text in texts]
        tokens = [matched_words(text) for text in texts]
        self._index = Bm25(tokens) if any(tokens) else None

    def nearest(self, text: str) -> list[int]:
        """Return the positions of the texts nearest to one, without those of the same wording; nearest first."""
        if self._index is None:
            return []
        scores: npt.NDArray[np.float32] = self._index.scores(matched_words(text))
        wording = normalised(text)
        order = np.argsort(-scores, kind="stable")[:_LOOKED_AT].tolist()
        return [k for k in order if scores[k] > 0 and self._wordings[k] != wording]
