"""Tasks and the store -> judged inferences, in document order: a pure function of both."""

from collections.abc import Iterable, Iterator

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


def judged_inferences(tasks: AllTasks, store: ResponseStore, config: AugftConfig, leaks: Leaks | None = None) -> Iterator[Judged]:
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
        for inference, reason in _read_and_judge(task, answer, config):
            if reason is None and leaks is not None and leaks.states(inference):
                reason = Reason.LEAK
            if reason is None and not duplicates.is_new(inference.whole):
                reason = Reason.DUPLICATE
            yield Judged(task, inference, reason)


def _read_and_judge(task: Task, answer: Answer, config: AugftConfig) -> list[tuple[Inference, Reason | None]]:
    if answer.outcome is Outcome.FILTERED:
        return [(_NOTHING, Reason.FILTERED)]
    if answer.outcome is Outcome.INVALID:
        return [(_NOTHING, Reason.INVALID)]
    check_names = config.verify == "names"
    if task.writes == "questions":
        judged = [(pair, judge_pair(task, pair, check_names)) for pair in read_pairs(task, answer)]
    else:
        found = _reasoning(answer) if task.reading.keep_reasoning else []
        found += read_inferences(task, answer)
        judged = [(inference, judge(task, inference, check_names)) for inference in found]
    return judged or [(_NOTHING, Reason.EMPTY)]


def _reasoning(answer: Answer) -> list[Inference]:
    """What a reasoning model thought, as a trace; without an answer after it, it may have been cut."""
    thought = (answer.reasoning or "").strip()
    return [Inference(thought, "trace", cut=answer.was_cut and not answer.text)] if thought else []


def _with_answers(tasks: Iterable[Task], store: ResponseStore) -> Iterator[tuple[Task, Answer | None]]:
    for some in batched(tasks):
        yield from zip(some, store.get([task.request for task in some]), strict=True)
