"""Tokenized texts and a query -> BM25 similarity scores, computed by bm25s.

bm25s is imported without JAX and Numba, for functions that this package does not call. Where JAX is installed, bm25s
initializes it, and JAX then reserves three quarters of the memory of every GPU in the process that is about to train.
Numba takes a quarter of a second to import. Whoever imports bm25s later in this process finds it without them.
"""

import logging
import sys
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy import sparse

_HIDDEN = ("jax", "jax.lax", "numba")


@cache
def _bm25s() -> Any:
    """Import bm25s with JAX and Numba hidden: a None in `sys.modules` makes the import of that name fail."""
    modules = cast("dict[str, Any]", sys.modules)
    loaded = {name: modules[name] for name in _HIDDEN if name in modules}
    modules.update(dict.fromkeys(_HIDDEN))
    try:
        import bm25s
    finally:
        for name in _HIDDEN:
            del modules[name]
        modules.update(loaded)
    logging.getLogger("bm25s").setLevel(logging.WARNING)
    return bm25s


class Bm25:
    """BM25 index (Lucene's variant) that scores a query against each indexed text.

    Args:
        texts: The tokens of each text; at least one text must have a token.
    """

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        self._index = _bm25s().BM25(method="lucene")
        self._index.index([list(tokens) for tokens in texts], show_progress=False)
        self._count = len(texts)

    @property
    def rows(self) -> dict[str, int]:
        """The row of `table` for each token."""
        rows: dict[str, int] = self._index.vocab_dict
        return rows

    @property
    def table(self) -> "sparse.csr_array":
        """The scores of single tokens, shape (tokens, texts); those of a query are the sum of its tokens' rows."""
        from scipy import sparse

        held = self._index.scores
        parts = held["data"], held["indices"], held["indptr"]
        return sparse.csr_array(parts, shape=(len(held["indptr"]) - 1, self._count))

    def scores(self, query: Sequence[str]) -> npt.NDArray[np.float32]:
        """Score each text, shape (texts,); 0 where it shares no token with the query."""
        known = [t for t in query if t in self._index.vocab_dict]
        scores: npt.NDArray[np.float32] = (
            self._index.get_scores(known) if known else np.zeros(self._count, dtype=np.float32)
        )
        return scores
