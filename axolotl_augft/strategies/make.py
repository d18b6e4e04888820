"""The `augment` entries of a recipe -> strategies -> their tasks."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from axolotl_augft.batched import batched
from axolotl_augft.config.augment import Augment, ClozeAugment, GlobalAugment, LocalAugment, StudyAugment
from axolotl_augft.config.strategy_settings import StrategySettings
from axolotl_augft.sources.documents import Document
from axolotl_augft.store.responses import StoredAnswers
from axolotl_augft.strategies.cloze import ClozeStrategy
from axolotl_augft.strategies.global_ import GlobalStrategy, GroupMemory
from axolotl_augft.strategies.local import LocalStrategy
from axolotl_augft.strategies.study import StudyStrategy
from axolotl_augft.strategies.task import AsksAgain, AsksFirst, Knowledge, Missed, Strategy, Task
from axolotl_augft.teacher.teacher import Teacher

_WINDOW = 2048


class Memory(GroupMemory, StoredAnswers, Protocol):
    """What strategies need of the response store."""


def make_strategy(
    settings: Augment,
    teacher: Teacher,
    documents: Iterable[Document],
    language: str,
    memory: Memory,
    memory_key: str,
) -> Strategy:
    """Make the strategy of an `augment` entry.

    Args:
        settings: The entry.
        teacher: The teacher model.
        documents: The documents to augment; iterated more than once.
        language: ISO 639 code of the documents' language.
        memory: Storage where a strategy may keep how it grouped documents, and where it finds answers.
        memory_key: Key under which this entry's grouping is stored.

    Raises:
        ConfigError: A prompt template of a `global` or `study` entry is missing or invalid.
    """
    match settings:
        case LocalAugment():
            return LocalStrategy(settings, teacher, documents, language)
        case GlobalAugment():
            return GlobalStrategy(settings, teacher, documents, language, memory, memory_key)
        case StudyAugment():
            return StudyStrategy(settings, teacher, documents, language, memory)
        case ClozeAugment():
            return ClozeStrategy(settings, documents, language)


def takes_documents_alone(settings: StrategySettings) -> bool:
    """Whether the tasks about a document depend on that document alone, so that they can be made without the others."""
    return isinstance(settings, LocalAugment)


def shares_premises(settings: StrategySettings) -> bool:
    """Whether many tasks have the same long premises, so that they are judged one after the other."""
    return isinstance(settings, GlobalAugment)


def _nothing_known() -> Knowledge | None:
    return None


@dataclass(frozen=True)
class AllTasks:
    """The tasks of all strategies of a recipe, except requests about what the student knows.

    Attributes:
        strategies: The strategies.
        known: Returns what the student knows now; None if it is not asked.
    """

    strategies: tuple[Strategy, ...]
    known: Callable[[], Knowledge | None] = _nothing_known

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
            yield from self.sent_by(strategy)

    def asked_first(self, strategy: Strategy) -> Iterator[Task]:
        """Yield the tasks of one strategy that must be answered before its others are known."""
        return self._unknown(strategy.first_tasks()) if isinstance(strategy, AsksFirst) else iter(())

    def unusable(self) -> dict[str, int]:
        """Count what the teacher was asked for first, but did not write so that it can be used, by what it is."""
        asking = [strategy for strategy in self.strategies if isinstance(strategy, AsksFirst)]
        return dict(sum((strategy.unusable(self.asked_first(strategy)) for strategy in asking), Counter[str]()))

    def sent_by(self, strategy: Strategy) -> Iterator[Task]:
        """Yield the tasks of one strategy in sending order."""
        return self._unknown(strategy.in_sending_order())

    def left_out(self, strategy: Strategy) -> Iterator[Task]:
        """Yield the tasks of one strategy that the student's knowledge leaves out."""
        known = self.known()
        return (task for task in strategy.in_sending_order() if known and known.covers(task))

    def in_document_order(self) -> Iterator[Task]:
        """Yield the tasks document by document; for one document, in the order of the strategies."""
        return self._unknown(merged(s.tasks() for s in self.strategies))

    def made_by(self, strategy: Strategy) -> Iterator[Task]:
        """Yield the tasks of one strategy in document order."""
        return self._unknown(strategy.tasks())

    def to_judge(self, strategy: Strategy) -> Iterator[Task]:
        """Yield the tasks of one strategy in document order, or with equal premises next to each other."""
        return self.sent_by(strategy) if shares_premises(strategy.settings) else self.made_by(strategy)

    def again_in_document_order(self, missed: Missed) -> Iterator[Task]:
        """Yield tasks that ask once more about sentences, document by document."""
        return self._unknown(merged(s.again(missed) for s in self.strategies if isinstance(s, AsksAgain)))

    def again_in_sending_order(self, missed: Missed) -> Iterator[Task]:
        """Yield the same tasks; within a window, those with equal prefixes stand next to each other."""
        for window in batched(self.again_in_document_order(missed), _WINDOW):
            yield from sorted(window, key=lambda task: task.request.prefix.text)

    def _unknown(self, tasks: Iterator[Task]) -> Iterator[Task]:
        """Leave out requests about what the student knows; what is written without a request costs nothing."""
        known = self.known()
        return tasks if known is None else (task for task in tasks if not (task.is_asked and known.covers(task)))


def merged(tasks: Iterable[Iterable[Task]]) -> Iterator[Task]:
    """Merge the tasks of several strategies: document by document; for one document, in the order of the strategies."""
    return heapq.merge(*tasks, key=lambda task: task.target.place)
