"""What each strategy's tasks were judged to be -> all judged inferences in document order.

Where many tasks have the same long premises, these are read and indexed once if their tasks are judged one after the
other. In document order, each task has the premises of another context group. So such tasks are judged in sending
order, and the verdicts wait in a temporary file until the task's turn comes.
"""

import heapq
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from axolotl_augft.files.keyed_file import KeyedFile
from axolotl_augft.judging.read_statements import Inference
from axolotl_augft.judging.rules import Judged, Reason
from axolotl_augft.steady import steadily
from axolotl_augft.strategies.make import AllTasks, shares_premises
from axolotl_augft.strategies.task import Strategy, Task


@dataclass(frozen=True, slots=True)
class _Verdict:
    """A judged inference without its task, of which only the first attributes of `Judged` are known yet."""

    inference: Inference
    rejected: Reason | None
    probability: float | None
    alone: float | None

    @classmethod
    def of(cls, judged: Judged) -> "_Verdict":
        return cls(judged.inference, judged.rejected, judged.probability, judged.alone)

    def about(self, task: Task) -> Judged:
        return Judged(task, self.inference, self.rejected, self.probability, self.alone)


def in_document_order(tasks: AllTasks, judged: Callable[[Strategy], Iterable[Judged]]) -> Iterator[Judged]:
    """Yield judged inferences document by document; those about one document in the order of the strategies.

    Args:
        tasks: The tasks of all strategies.
        judged: Judges the tasks of a strategy, in the order of `AllTasks.to_judge`.
    """
    own = (
        reordered(judged(strategy), tasks.made_by(strategy)) if shares_premises(strategy.settings) else judged(strategy)
        for strategy in tasks.strategies
    )
    return heapq.merge(*own, key=lambda j: j.task.target.place)


def reordered(judged: Iterable[Judged], tasks: Iterable[Task]) -> Iterator[Judged]:
    """Yield judged inferences in the order of their tasks.

    Args:
        judged: The inferences, those of a task one after the other.
        tasks: The tasks, with equal requests.
    """
    found = KeyedFile()
    for _, of_task in groupby(steadily(judged, "judging", "statements"), key=lambda j: id(j.task)):
        own = list(of_task)
        found.add(own[0].task.request.key, pickle.dumps([_Verdict.of(j) for j in own]))
    for task in tasks:
        if (record := found.get(task.request.key)) is not None:
            # Nothing but this process can write the file, so there is no reason against pickle.
            verdicts: Sequence[_Verdict] = pickle.loads(record)
            yield from (verdict.about(task) for verdict in verdicts)
