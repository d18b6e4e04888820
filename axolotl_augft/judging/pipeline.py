"""Tasks and the store -> judged inferences, in document order: a pure function of both."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from axolotl_augft.config.augft import AugftConfig
from axolotl_augft.config.augment import Augment, GlobalAugment
from axolotl_augft.judging.leaks import Leaks
from axolotl_augft.judging.question_rules import judge_pair
from axolotl_augft.judging.read_questions import read_pairs
from axolotl_augft.judging.read_statements import Inference, read_inferences
from axolotl_augft.judging.rules import Duplicates, Judged, Reason, judge
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.strategies.task import Strategy, Task
from axolotl_augft.teacher.answer import Answer, Outcome

_CHUNK = 500
_NOTHING = Inference("", "answer")


@dataclass(frozen=True)
class Plan:
    """What is asked: each `augment` entry with its strategy."""

    entries: tuple[tuple[Augment, Strategy], ...]

    def sending(self) -> Iterator[Task]:
        """All tasks, entry by entry, those with equal prefixes together."""
        for _, strategy in self.entries:
            yield from strategy.in_sending_order()

    def writing(self) -> Iterator[tuple[Augment, Task]]:
        """All tasks in document order; for one document, in the order of the entries."""
        streams = [((entry, task) for task in strategy.tasks()) for entry, strategy in self.entries]
        return heapq.merge(*streams, key=lambda pair: (pair[1].target.entry, pair[1].target.row))


def judged_inferences(plan: Plan, store: ResponseStore, config: AugftConfig, leaks: Leaks | None = None) -> Iterator[Judged]:
    """Every inference of every stored answer, kept or rejected. A request without an answer gives nothing.

    Args:
        plan: What was asked.
        store: Where the answers are.
        config: How statements are judged.
        leaks: What held-out rows say.
    """
    duplicates = Duplicates()
    for entry, task, answer in _with_answers(plan.writing(), store):
        if answer is None:
            continue
        for inference, reason in _read_and_judge(entry, task, answer, config):
            if reason is None and leaks is not None and leaks.states(inference):
                reason = Reason.LEAK
            if reason is None and not duplicates.is_new(inference.whole):
                reason = Reason.DUPLICATE
            yield Judged(task, inference, reason)


def _read_and_judge(entry: Augment, task: Task, answer: Answer, config: AugftConfig) -> list[tuple[Inference, Reason | None]]:
    if answer.outcome is Outcome.FILTERED:
        return [(_NOTHING, Reason.FILTERED)]
    if answer.outcome is Outcome.INVALID:
        return [(_NOTHING, Reason.INVALID)]
    check_names = config.verify == "names"
    if task.writes == "questions":
        judged = [(pair, judge_pair(task, pair, check_names)) for pair in read_pairs(task, answer)]
    else:
        found = _reasoning(answer) if isinstance(entry, GlobalAugment) and entry.keep_reasoning else []
        found += read_inferences(task, answer, entry.keep if isinstance(entry, GlobalAugment) else "both")
        judged = [(inference, judge(task, inference, check_names)) for inference in found]
    return judged or [(_NOTHING, Reason.EMPTY)]


def _reasoning(answer: Answer) -> list[Inference]:
    """What a reasoning model thought, as a trace; without an answer after it, it may have been cut."""
    thought = (answer.reasoning or "").strip()
    return [Inference(thought, "trace", cut=answer.was_cut and not answer.text)] if thought else []


def _with_answers(pairs: Iterable[tuple[Augment, Task]], store: ResponseStore) -> Iterator[tuple[Augment, Task, Answer | None]]:
    iterator = iter(pairs)
    while some := list(islice(iterator, _CHUNK)):
        answers: Sequence[Answer | None] = store.get([task.request for _, task in some])
        for (entry, task), answer in zip(some, answers, strict=True):
            yield entry, task, answer
