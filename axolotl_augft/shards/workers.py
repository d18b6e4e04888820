"""Shards and verdicts -> what the worker processes make of them, in document order."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property
from itertools import chain
from types import TracebackType

from axolotl_augft.judging.rules import Judged
from axolotl_augft.output.augmented import Part, in_parts
from axolotl_augft.shards.cut import cut
from axolotl_augft.shards.lent_store import LentStore
from axolotl_augft.shards.work import Statements, Work, judge_shard, make_part
from axolotl_augft.sources.documents import Document, Documents
from axolotl_augft.sources.source import Source
from axolotl_augft.strategies.make import AllTasks, takes_documents_alone
from axolotl_augft.strategies.task import Strategy, Task
from axolotl_augft.workers.processes import ProcessPool, number_of_processes
from axolotl_augft.workers.ray_cluster import ray_cluster
from axolotl_augft.workers.ray_pool import RayPool

AT_ONCE = 250
"""Documents or tasks that are judged together; statements whose rows are made together."""


class Workers:
    """The workers of a run: started when they are first needed, ended with the `with` block.

    They are processes of this machine or, with `use_ray`, tasks on a Ray cluster.

    Args:
        work: What each of them needs.
        sources: The sources.
        tasks: The tasks of all strategies, which stand in the order of the recipe's assignments.
        documents: The documents of all strategies.
    """

    def __init__(self, work: Work, sources: Iterable[Source], tasks: AllTasks, documents: Documents) -> None:
        self._work = work
        self._sources = {source.entry: source for source in sources}
        self._tasks = tasks
        self._documents = documents
        self._stack = ExitStack()

    def __enter__(self) -> "Workers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def judged(self, strategy: Strategy, finds_leaks: bool, scored: bool) -> Iterator[Judged]:
        """Yield the statements of the stored answers to a strategy's tasks, in the order of `AllTasks.to_judge`.

        Args:
            strategy: The strategy.
            finds_leaks: Whether to reject those that state a held-out answer.
            scored: Whether they get their probabilities, as far as the store tells.

        Raises:
            WorkerFailed: A worker ended, or ran out of memory.
        """
        number = self._tasks.strategies.index(strategy)
        shards = cut(number, self._items(number), finds_leaks, scored, AT_ONCE)
        return chain.from_iterable(self._pool.map(judge_shard, shards))

    def parts(self, judged: Iterable[Judged]) -> Iterator[Part]:
        """Yield the training rows of statements, which come in document order.

        Raises:
            WorkerFailed: A worker ended, or ran out of memory.
        """
        return self._pool.map(make_part, map(self._with_rows, in_parts(judged, AT_ONCE)))

    def _items(self, number: int) -> Iterable[Document | Task]:
        """Return the documents of a strategy if the workers make its tasks of them, otherwise its tasks.

        They make none where the student's knowledge, which only this process has, decides which tasks there are.
        """
        strategy = self._tasks.strategies[number]
        if self._tasks.known() is None and takes_documents_alone(strategy.settings):
            return self._documents.of(self._work.recipe.assignments()[number].entries)
        return self._tasks.to_judge(strategy)

    def _with_rows(self, judged: list[Judged]) -> Statements:
        entry = judged[0].task.target.entry
        reader = self._sources[entry].reader
        rows = {j.task.target.row: reader[j.task.target.row] for j in judged}
        return Statements(entry, rows, judged)

    @cached_property
    def _pool(self) -> ProcessPool[Work] | RayPool[Work]:
        recipe = self._work.recipe
        if recipe.use_ray:
            ray = self._stack.enter_context(ray_cluster())
            work = replace(self._work, lent=LentStore(ray, recipe.store_path))
            return RayPool(ray, work, recipe.augft.workers)
        pool = ProcessPool(self._work, number_of_processes(recipe.augft.workers))
        self._stack.callback(pool.close)
        return pool
