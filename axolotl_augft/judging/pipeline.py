"""Tasks and stored answers -> judged inferences in document order, as a pure function of both."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from axolotl_augft.batched import batched
from axolotl_augft.config.augft import AugftConfig
from axolotl_augft.judging.leaks import Leaks
from axolotl_augft.judging.markup import has_tokens, worth_finding
from axolotl_augft.judging.near_duplicates import NearDuplicates, Repeats
from axolotl_augft.judging.question_rules import judge_pair
from axolotl_augft.judging.read_questions import read_pairs
from axolotl_augft.judging.read_statements import Inference, complete_trace, read_inferences, says_none
from axolotl_augft.judging.rules import Duplicates, Judged, Reason, judge
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.strategies.task import Task
from axolotl_augft.teacher.answer import Answer, Outcome

_NOTHING = Inference("", "answer")
_QUESTION_END = " ?？؟."
_REPEATED = {
    Repeats.SOURCE: Reason.NEAR_DUPLICATE,
    Repeats.STATEMENT: Reason.DUPLICATE,
    Repeats.STATEMENT_BUT_FOR_ONE_WORD: Reason.NEAR_DUPLICATE,
}


def judged_inferences(
    tasks: Iterable[Task],
    store: ResponseStore,
    config: AugftConfig,
    leaks: Leaks | None = None,
    special_tokens: Sequence[str] = (),
) -> Iterator[Judged]:
    """Yield every inference of every stored answer, kept or rejected; requests without a stored answer yield nothing.

    Args:
        tasks: The tasks, in document order.
        store: The response store that holds the answers.
        config: The settings, which say how statements are judged.
        leaks: Finds held-out answers; None if no rows are held out.
        special_tokens: The student's special tokens, which no statement may hold.
    """
    special = worth_finding(special_tokens)
    for task, answer in _with_answers(tasks, store):
        if answer is not None:
            found = _read_and_judge(task, answer, config, special)
        else:
            found = _judge_written(task, special)
        for judged in found:
            leaked = judged.rejected is None and leaks is not None and _leaks(judged, leaks)
            yield replace(judged, rejected=Reason.LEAK) if leaked else judged


def without_duplicates(judged: Iterable[Judged], language: str) -> Iterator[Judged]:
    """Yield all inferences in order, rejecting those that repeat one that is kept.

    Args:
        judged: The inferences in document order.
        language: ISO 639 code of the documents.
    """
    duplicates = Duplicates(language)
    for j in judged:
        repeated = j.rejected is None and not duplicates.is_new(_compared(j))
        yield replace(j, rejected=Reason.DUPLICATE) if repeated else j


def without_repeats(judged: Callable[[], Iterable[Judged]], sources: Iterable[str], language: str) -> Iterator[Judged]:
    """Yield all verified inferences in order, rejecting those that repeat a more probable one or a source sentence.

    Args:
        judged: Yields the inferences in document order; called twice.
        sources: The texts of the documents.
        language: ISO 639 code of the documents.
    """
    found = NearDuplicates(sources, language)
    for position, j in enumerate(judged()):
        if j.rejected is None:
            found.add(position, j.inference.full_text, j.probability, j.task.evidence, _compared(j))
    for position, j in enumerate(judged()):
        repeats = found.repeats(position) if j.rejected is None else None
        yield replace(j, rejected=_REPEATED[repeats]) if repeats else j


def _compared(judged: Judged) -> str:
    """Return the part of an inference by whose wording it is the same as another.

    A question about plain text is asked once, with whatever answer, but may have a long and a short one. A question of
    an exchange belongs to what precedes it, so it counts together with its answer.
    """
    question = judged.inference.question
    if question is None or judged.task.exchange is not None:
        return judged.inference.full_text
    asked = question.rstrip(_QUESTION_END)
    return f"short: {asked}" if judged.task.reading.short_answers else asked


def _read_and_judge(task: Task, answer: Answer, config: AugftConfig, special: Sequence[str]) -> list[Judged]:
    if answer.outcome is Outcome.FILTERED:
        return [Judged(task, _NOTHING, Reason.FILTERED)]
    if answer.outcome is Outcome.INVALID:
        return [Judged(task, _NOTHING, Reason.INVALID)]
    check_names = config.verify is not None and config.verify.checks_names
    if task.writes == "questions":
        judged = [Judged(task, pair, judge_pair(task, pair, check_names, special)) for pair in read_pairs(task, answer)]
    elif task.reading.ends_in_conclusions and says_none(answer):
        return [Judged(task, _NOTHING, Reason.NOTHING_FOLLOWS)]
    else:
        found = _reasoning(answer) if task.reading.keep_reasoning else []
        found += read_inferences(task, answer)
        judged = [Judged(task, inference, judge(task, inference, check_names, special)) for inference in found]
    return judged or [Judged(task, _NOTHING, Reason.EMPTY)]


def _judge_written(task: Task, special: Sequence[str]) -> list[Judged]:
    """Judge what a strategy has written itself: it follows from the source, in whatever form it is."""
    found = [Inference(text, task.kind, task.first_sentence) for text in task.written]
    return [Judged(task, i, Reason.MALFORMED if has_tokens(i.text, special) else None) for i in found]


def _leaks(judged: Judged, leaks: Leaks) -> bool:
    """Whether an inference states a held-out answer, or is a sentence in another order of words that does."""
    said = (judged.inference, *(replace(judged.inference, text=p) for p in judged.task.premises if judged.task.written))
    return any(map(leaks.states, said))


def _reasoning(answer: Answer) -> list[Inference]:
    """Return a reasoning model's reasoning as a trace; it is cut if it reached `max_tokens` and no answer follows."""
    thought = (answer.reasoning or "").strip()
    return [complete_trace(thought, answer.was_cut and not answer.text)] if thought else []


def _with_answers(tasks: Iterable[Task], store: ResponseStore) -> Iterator[tuple[Task, Answer | None]]:
    for some in batched(tasks):
        answers = iter(store.get([task.request for task in some if task.is_asked]))
        yield from ((task, next(answers) if task.is_asked else None) for task in some)
