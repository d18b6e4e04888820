"""BM25 by bm25s, kept from loading JAX.

bm25s initializes JAX, where it is installed, for a selection that nobody here asks for; JAX then takes three quarters
of every GPU's memory for the process that is about to train.
"""

import logging
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

_JAX = ("jax", "jax.lax")


@cache
def _bm25s() -> Any:
    """The library, imported with JAX hidden from it: None is how the import system is told that a module is not to be found."""
    loaded = {name: sys.modules[name] for name in _JAX if name in sys.modules}
    sys.modules.update(dict.fromkeys(_JAX))  # type: ignore[arg-type]  # the stubs do not know that
    try:
        import bm25s
    finally:
        for name in _JAX:
            del sys.modules[name]
        sys.modules.update(loaded)
    logging.getLogger("bm25s").setLevel(logging.WARNING)
    return bm25s


class Bm25:
    """The BM25 scores (Lucene's variant) of a query against each of some texts.

    Args:
        texts: Each as its tokens; at least one text has one.
    """

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        self._index = _bm25s().BM25(method="lucene")
        self._index.index([list(tokens) for tokens in texts], show_progress=False)
        self._count = len(texts)

    def scores(self, query: Sequence[str]) -> npt.NDArray[np.float32]:
        """One score for each text, 0 where they share no token."""
        known = [t for t in query if t in self._index.vocab_dict]
        scores: npt.NDArray[np.float32] = (
            self._index.get_scores(known) if known else np.zeros(self._count, dtype=np.float32)
        )
        return scores

    def scores_of_all(self, queries: Sequence[Sequence[str]]) -> npt.NDArray[np.float32]:
        """A row of scores for each query."""
        return np.stack([self.scores(query) for query in queries])


class SmallBm25:
    """The same scores over few texts, from a table of what each token adds: many queries at once, without an overhead for each.

    Args:
        texts: As for `Bm25`.
    """

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        index = Bm25(texts)
        words = list(dict.fromkeys(t for tokens in texts for t in tokens))
        self._rows = {word: i for i, word in enumerate(words, 1)}
        self._table = np.stack([np.zeros(len(texts), dtype=np.float32), *(index.scores([word]) for word in words)])

    def scores_of_all(self, queries: Sequence[Sequence[str]]) -> npt.NDArray[np.float32]:
        """A row of scores for each query.

        Tokens are added one after the other in the query's order, as bm25s does it: the same floats, and so the same
        choices.
        """
        rows = self._rows
        known = [[0, *(rows[t] for t in query if t in rows)] for query in queries]
        starts = np.cumsum([0, *(len(k) for k in known[:-1])])
        summed: npt.NDArray[np.float32] = np.add.reduceat(self._table[[i for k in known for i in k]], starts, axis=0)
        return summed
