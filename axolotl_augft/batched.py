"""Items -> lists of so many items: what is looked up, counted or written together."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
AT_ONCE = 500
"""Items looked up or written together: enough for SQLite, few enough for memory."""


def batched(items: Iterable[T], size: int = AT_ONCE) -> Iterator[list[T]]:
    """Lists of `size` items, the last one shorter. As itertools.batched of Python 3.12, but with lists."""
    iterator = iter(items)
    while some := list(islice(iterator, size)):
        yield some
