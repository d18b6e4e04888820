"""A shard -> its judged statements; statements with their final verdicts -> training rows. Done by worker processes."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from axolotl_augft.config.augment import Augment
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.judging.leaks import Leaks
from axolotl_augft.judging.pipeline import judged_inferences
from axolotl_augft.judging.rules import Judged
from axolotl_augft.output.augmented import Part, RowMaker
from axolotl_augft.output.student import Student
from axolotl_augft.shards.cut import Shard
from axolotl_augft.sources.documents import Document
from axolotl_augft.sources.source import Source
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.strategies.make import Memory, make_strategy, takes_documents_alone
from axolotl_augft.strategies.task import Task
from axolotl_augft.teacher.teacher import Teacher
from axolotl_augft.verifying.verifier import Verifier


@dataclass(frozen=True)
class Statements:
    """Statements with their final verdicts, and the source rows that they are about.

    Attributes:
        entry: Index of their `datasets` entry.
        rows: The source rows, by number.
        judged: The statements about whole documents, in document order.
    """

    entry: int
    rows: Mapping[int, Mapping[str, Any]]
    judged: list[Judged]


@dataclass(frozen=True)
class Work:
    """What a worker process needs; it reads answers from the store, and writes nothing.

    Attributes:
        recipe: The recipe.
        student: The student model.
        teacher: The teacher model.
        verifying: The model that verifies statements; None if none is asked.
        leaks: Finds held-out answers.
        sources: The sources without their rows, by entry.
        lent: Where answers are found, for a process on another machine than the store; None to open the store.
    """

    recipe: Recipe
    student: Student
    teacher: Teacher
    verifying: Teacher | None
    leaks: Leaks
    sources: dict[int, Source]
    lent: Memory | None = None

    def judged(self, shard: Shard) -> list[Judged]:
        """Judge the stored answers to a shard's tasks."""
        leaks = self.leaks if shard.finds_leaks else None
        special = self.student.special_tokens
        found = judged_inferences(self._tasks(shard), self.store, self.recipe.augft, leaks, special)
        return list(self._verifier.scored(found) if shard.scored and self._verifier else found)

    def part(self, statements: Statements) -> Part:
        """Make the training rows of statements."""
        source = replace(self.sources[statements.entry], excerpt=statements.rows)
        return self._row_maker.part(source, statements.judged)

    def _tasks(self, shard: Shard) -> Iterator[Task]:
        documents = [item for item in shard.items if isinstance(item, Document)]
        maker = self._makers[shard.strategy]
        if maker is not None and documents:
            return maker.tasks(documents)
        return (item for item in shard.items if isinstance(item, Task))

    @cached_property
    def _makers(self) -> list["_TaskMaker | None"]:
        """What makes tasks of a shard's documents, by strategy; None where the tasks always come with the shard."""
        settings = [assigned.augment for assigned in self.recipe.assignments()]
        return [_TaskMaker(self, own) if takes_documents_alone(own) else None for own in settings]

    @cached_property
    def store(self) -> Memory:
        """Where answers are found: the response store, open until the process ends, or what is lent."""
        return self.lent or self._lasting.enter_context(ResponseStore.opened(self.recipe.store_path))

    @cached_property
    def _lasting(self) -> ExitStack:
        return ExitStack()

    @cached_property
    def _verifier(self) -> Verifier | None:
        config = self.recipe.augft.verify
        if self.verifying is None or config is None:
            return None
        return Verifier(config, self.verifying, self.store, self.recipe.augft.language)

    @cached_property
    def _row_maker(self) -> RowMaker:
        return RowMaker(self.recipe, self.student)


class _TaskMaker:
    """Makes a strategy's tasks, a shard at a time: the strategy, which chooses among many examples, is made once."""

    def __init__(self, work: Work, settings: Augment) -> None:
        self._documents: Sequence[Document] = ()
        language = work.recipe.augft.language
        self._strategy = make_strategy(settings, work.teacher, self, language, work.store, "")

    def __iter__(self) -> Iterator[Document]:
        return iter(self._documents)

    def tasks(self, documents: Sequence[Document]) -> Iterator[Task]:
        """Yield the tasks about documents; all of them must be taken before the next call."""
        self._documents = documents
        return self._strategy.tasks()


def judge_shard(work: Work, shard: Shard) -> list[Judged]:
    """Judge a shard in a worker process."""
    return work.judged(shard)


def make_part(work: Work, statements: Statements) -> Part:
    """Make training rows in a worker process."""
    return work.part(statements)
