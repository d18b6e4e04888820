"""The `augment` entries of a recipe -> strategies, and all their tasks."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from axolotl_augft.config.augment import Augment, GlobalAugment, LocalAugment
from axolotl_augft.sources.documents import Document
from axolotl_augft.strategies.global_ import GlobalStrategy, GroupMemory
from axolotl_augft.strategies.local import LocalStrategy
from axolotl_augft.strategies.task import Strategy, Task
from axolotl_augft.teacher.teacher import Teacher


def make_strategy(
    settings: Augment,
    teacher: Teacher,
    documents: Iterable[Document],
    language: str,
    memory: GroupMemory,
    memory_key: str,
) -> Strategy:
    """The strategy of an `augment` entry.

    Args:
        settings: The entry.
        teacher: The teacher model.
        documents: The documents that the entry is for; iterated more than once.
        language: ISO 639 code of the documents' language.
        memory: Where a strategy may remember how it grouped documents.
        memory_key: The key to do so under.
    """
    match settings:
        case LocalAugment():
            return LocalStrategy(settings, teacher, documents, language)
        case GlobalAugment():
            return GlobalStrategy(settings, teacher, documents, language, memory, memory_key)


@dataclass(frozen=True)
class AllTasks:
    """The tasks of all strategies of a recipe."""

    strategies: tuple[Strategy, ...]

    def in_sending_order(self) -> Iterator[Task]:
        """Strategy by strategy, tasks with equal prefixes together."""
        for strategy in self.strategies:
            yield from strategy.in_sending_order()

    def in_document_order(self) -> Iterator[Task]:
        """Document by document; for one document, in the order of the strategies."""
        return heapq.merge(*(s.tasks() for s in self.strategies), key=lambda task: (task.target.entry, task.target.row))
