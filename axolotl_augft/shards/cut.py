"""The documents or tasks of a strategy -> shards: some of them, to be judged anywhere."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from axolotl_augft.batched import batched
from axolotl_augft.sources.documents import Document
from axolotl_augft.strategies.task import Task


@dataclass(frozen=True)
class Shard:
    """Some of what a strategy asks.

    Attributes:
        strategy: Number of the strategy.
        items: Documents whose tasks are still to be made, or tasks that are made.
        finds_leaks: Whether statements that state a held-out answer are rejected.
        scored: Whether the statements get their probabilities, as far as the store tells.
    """

    strategy: int
    items: tuple[Document | Task, ...]
    finds_leaks: bool
    scored: bool


def cut(strategy: int, items: Iterable[Document | Task], finds_leaks: bool, scored: bool, most: int) -> Iterator[Shard]:
    """Yield the shards, in the order of their items.

    Args:
        strategy: As in the shards.
        items: The documents or tasks.
        finds_leaks: As in the shards.
        scored: As in the shards.
        most: Items of a shard.
    """
    return (Shard(strategy, tuple(some), finds_leaks, scored) for some in batched(items, most))
