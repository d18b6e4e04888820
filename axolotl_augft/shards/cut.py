"""The documents and tasks of all strategies -> shards: what is about some rows of one entry, to be judged anywhere."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from axolotl_augft.sources.documents import Document, Place
from axolotl_augft.strategies.task import Task


@dataclass(frozen=True)
class Shard:
    """What the strategies ask about some rows of one `datasets` entry.

    Attributes:
        parts: For each strategy, the documents whose tasks are still to be made, or tasks that are made.
        finds_leaks: Whether statements that state a held-out answer are rejected.
        scored: Whether the statements get their probabilities, as far as the store tells.
    """

    parts: tuple[tuple[Document | Task, ...], ...]
    finds_leaks: bool
    scored: bool


class _Placed(NamedTuple):
    """A document or a task of a strategy, with the rows that it belongs to."""

    rows: Place
    strategy: int
    item: Document | Task


def cut(
    streams: Sequence[Iterable[Document] | Iterable[Task]], finds_leaks: bool, scored: bool, rows: int
) -> Iterator[Shard]:
    """Yield the shards in document order.

    Args:
        streams: For each strategy, its documents or its tasks, in document order.
        finds_leaks: As in the shards.
        scored: As in the shards.
        rows: Rows of an entry that make a shard.
    """
    placed = heapq.merge(*(_placed(i, stream, rows) for i, stream in enumerate(streams)), key=lambda p: p.rows)
    for _, group in groupby(placed, key=lambda p: p.rows):
        parts: list[list[Document | Task]] = [[] for _ in streams]
        for _, strategy, item in group:
            parts[strategy].append(item)
        yield Shard(tuple(map(tuple, parts)), finds_leaks, scored)


def _placed(strategy: int, items: Iterable[Document] | Iterable[Task], rows: int) -> Iterator[_Placed]:
    for item in items:
        place = item.target.place if isinstance(item, Task) else item.place
        yield _Placed(Place(place.entry, place.row // rows), strategy, item)
