"""Items -> lists of bounded size, to look up, count or write together."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
AT_ONCE = 500
"""Default batch size: large enough for efficient SQLite queries, small enough for memory."""


def batched(items: Iterable[T], size: int = AT_ONCE, first: int | None = None) -> Iterator[list[T]]:
    """Yield lists of `size` items; the last may be shorter, and the first has `first` items if that is given.

    Like `itertools.batched`, which needs Python 3.12 and yields tuples.
    """
    iterator = iter(items)
    batch = list(islice(iterator, first or size))
    while batch:
        yield batch
        batch = list(islice(iterator, size))
