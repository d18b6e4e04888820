"""The `augment` entries of a recipe -> strategies -> their tasks."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from axolotl_augft.batched import batched
from axolotl_augft.config.augment import Augment, ClozeAugment, GlobalAugment, LocalAugment
from axolotl_augft.sources.documents import Document
from axolotl_augft.strategies.cloze import ClozeStrategy
from axolotl_augft.strategies.global_ import GlobalStrategy, GroupMemory
from axolotl_augft.strategies.local import LocalStrategy
from axolotl_augft.strategies.task import AsksAgain, Missed, Strategy, Task
from axolotl_augft.teacher.teacher import Teacher

_WINDOW = 2048


def make_strategy(
    settings: Augment,
    teacher: Teacher,
    documents: Iterable[Document],
    language: str,
    memory: GroupMemory,
    memory_key: str,
) -> Strategy:
    """Make the strategy of an `augment` entry.

    Args:
        settings: The entry.
        teacher: The teacher model.
        documents: The documents to augment; iterated more than once.
        language: ISO 639 code of the documents' language.
        memory: Storage where a strategy may keep how it grouped documents.
        memory_key: Key under which this entry's grouping is stored.

    Raises:
        ConfigError: A prompt template of a `global` entry is missing or invalid.
    """
    match settings:
        case LocalAugment():
            return LocalStrategy(settings, teacher, documents, language)
        case GlobalAugment():
            return GlobalStrategy(settings, teacher, documents, language, memory, memory_key)
        case ClozeAugment():
            return ClozeStrategy(settings, documents, language)


@dataclass(frozen=True)
class AllTasks:
    """The tasks of all strategies of a recipe."""

    strategies: tuple[Strategy, ...]

    @property
    def ask(self) -> bool:
        """Whether any strategy asks the teacher."""
        return any(strategy.settings.asks for strategy in self.strategies)

    @property
    def ask_only(self) -> bool:
        """Whether every strategy asks the teacher, so that nothing is written before it answers."""
        return all(strategy.settings.asks for strategy in self.strategies)

    def in_sending_order(self) -> Iterator[Task]:
        """Yield the tasks strategy by strategy, with equal prefixes next to each other."""
        for strategy in self.strategies:
            yield from strategy.in_sending_order()

    def in_document_order(self) -> Iterator[Task]:
        """Yield the tasks document by document; for one document, in the order of the strategies."""
        return _merged(s.tasks() for s in self.strategies)

    def again_in_document_order(self, missed: Missed) -> Iterator[Task]:
        """Yield tasks that ask once more about sentences, document by document."""
        return _merged(s.again(missed) for s in self.strategies if isinstance(s, AsksAgain))

    def again_in_sending_order(self, missed: Missed) -> Iterator[Task]:
        """Yield the same tasks; within a window, those with equal prefixes stand next to each other."""
        for window in batched(self.again_in_document_order(missed), _WINDOW):
            yield from sorted(window, key=lambda task: task.request.prefix.text)


def _merged(tasks: Iterable[Iterator[Task]]) -> Iterator[Task]:
    return heapq.merge(*tasks, key=lambda task: task.target.place)
