"""Sources -> the same sources with their held-out rows marked, before anything is augmented.

Axolotl's own split comes after merging, so the student would be trained on augmentations of held-out rows. The choice
is by content (the smallest digests of seed and row): it does not depend on the order of the rows, and an added row
shifts at most the boundary. Only the first 64 bits of each digest are kept. That takes 24 bytes per row; the
probability that any two of ten million rows collide is 3 in a million.
"""

import hashlib
from collections.abc import Container, Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from axolotl_augft.errors import SourceError
from axolotl_augft.sources.source import Source, read_rows, row_digest

_ROW = np.dtype([("source", np.int32), ("row", np.int32), ("digest", np.uint64), ("rank", np.uint64)])
_Rows = npt.NDArray[np.void]


def hold_out(sources: list[Source], val_set_size: float, seed: int, tests: Iterable[bytes]) -> list[Source]:
    """Mark held-out rows, and training rows that equal a held-out or test row.

    Args:
        sources: All sources of the recipe.
        val_set_size: Rows to hold out, as a fraction below 1, else a count.
        seed: Seed of the choice.
        tests: Digests of the rows of `test_datasets`.

    Raises:
        SourceError: `val_set_size` covers every distinct row, so that none would be left to train on.
    """
    wanted = _count(val_set_size, sum(len(s.rows) - len(s.beyond_share) for s in sources))
    known = np.fromiter((_first_64_bits(d) for d in tests), np.uint64)
    if not wanted and not len(known):
        return sources
    rows = np.concatenate([ranked_rows(s, i, seed, {*s.broken, *s.beyond_share}) for i, s in enumerate(sources)])
    first = np.unique(rows["digest"], return_index=True)[1]
    chosen = first[np.argsort(rows["rank"][first], kind="stable")[:wanted]]
    if len(chosen) == len(first):
        raise SourceError(
            f"val_set_size {val_set_size:g} holds out all {len(first)} different rows, so none is left to train on; "
            f"lower it"
        )
    is_twin = np.isin(rows["digest"], np.concatenate([rows["digest"][chosen], known]))
    is_twin[chosen] = False
    return [
        replace(s, held_out=_row_numbers(i, rows[np.sort(chosen)]), twins=_row_numbers(i, rows[is_twin]))
        for i, s in enumerate(sources)
    ]


def ranked_rows(source: Source, number: int, seed: int, without: Container[int]) -> _Rows:
    """List the rows of a source with the digests by which they are compared and chosen.

    Args:
        source: The source.
        number: Identifies the source in the result.
        seed: Seed of the choice.
        without: Numbers of the rows to leave out.

    Returns:
        An array with one record per row: `source` (the given `number`), `row`, `digest` (of the content) and `rank` (of
        seed and content; the rows with the smallest are chosen first).
    """
    key = seed.to_bytes(8, "big", signed=True)
    rows = ((i, row_digest(row, source.content)) for i, row in enumerate(read_rows(source.rows)) if i not in without)
    return np.fromiter(
        ((number, i, _first_64_bits(d), _first_64_bits(hashlib.sha256(key + d).digest())) for i, d in rows), _ROW
    )


def _row_numbers(source: int, rows: _Rows) -> tuple[int, ...]:
    return tuple(rows["row"][rows["source"] == source].tolist())


def _first_64_bits(digest: bytes) -> int:
    return int.from_bytes(digest[:8], "big")


def _count(val_set_size: float, rows: int) -> int:
    """Return how many of `rows` to hold out; a fraction is rounded up, as axolotl does."""
    if val_set_size >= 1:
        return int(val_set_size)
    return -int(-(val_set_size * rows) // 1) if val_set_size else 0
