"""Tasks and the store -> judged inferences, in document order: a pure function of both."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from axolotl_augft.batched import batched
from axolotl_augft.config.augft import AugftConfig
from axolotl_augft.judging.leaks import Leaks
from axolotl_augft.judging.question_rules import judge_pair
from axolotl_augft.judging.read_questions import read_pairs
from axolotl_augft.judging.read_statements import Inference, read_inferences
from axolotl_augft.judging.rules import Duplicates, Judged, Reason, judge
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.strategies.make import AllTasks
from axolotl_augft.strategies.task import Task
from axolotl_augft.teacher.answer import Answer, Outcome

_NOTHING = Inference("", "answer")


def judged_inferences(
    tasks: AllTasks, store: ResponseStore, config: AugftConfig, leaks: Leaks | None = None
) -> Iterator[Judged]:
    """Every inference of every stored answer, kept or rejected. A request without an answer gives nothing.

    Args:
        tasks: The tasks of the recipe.
        store: Where the answers are.
        config: How statements are judged.
        leaks: What held-out rows say.
    """
    duplicates = Duplicates()
    for task, answer in _with_answers(tasks.in_document_order(), store):
        if answer is None:
            continue
        for judged in _read_and_judge(task, answer, config):
            yield (
                judged
                if judged.rejected
                else replace(judged, rejected=_against_others(judged.inference, leaks, duplicates))
            )


def _against_others(inference: Inference, leaks: Leaks | None, duplicates: Duplicates) -> Reason | None:
    """The reason against an inference that lies in other rows: in those held out, or in those kept before."""
    if leaks is not None and leaks.states(inference):
        return Reason.LEAK
    return None if duplicates.is_new(inference.whole) else Reason.DUPLICATE


def _read_and_judge(task: Task, answer: Answer, config: AugftConfig) -> list[Judged]:
    if answer.outcome is Outcome.FILTERED:
        return [Judged(task, _NOTHING, Reason.FILTERED)]
    if answer.outcome is Outcome.INVALID:
        return [Judged(task, _NOTHING, Reason.INVALID)]
    check_names = config.verify == "names"
    if task.writes == "questions":
        judged = [Judged(task, pair, judge_pair(task, pair, check_names)) for pair in read_pairs(task, answer)]
    else:
        found = _reasoning(answer) if task.reading.keep_reasoning else []
        found += read_inferences(task, answer)
        judged = [Judged(task, inference, judge(task, inference, check_names)) for inference in found]
    return judged or [Judged(task, _NOTHING, Reason.EMPTY)]


def _reasoning(answer: Answer) -> list[Inference]:
    """What a reasoning model thought, as a trace; without an answer after it, it may have been cut."""
    thought = (answer.reasoning or "").strip()
    return [Inference(thought, "trace", cut=answer.was_cut and not answer.text)] if thought else []


def _with_answers(tasks: Iterable[Task], store: ResponseStore) -> Iterator[tuple[Task, Answer | None]]:
    for some in batched(tasks):
        yield from zip(some, store.get([task.request for task in some]), strict=True)
