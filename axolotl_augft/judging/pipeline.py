"""Tasks and stored answers -> judged inferences in the order of the tasks, as a pure function of both."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from random import Random

from axolotl_augft.batched import batched
from axolotl_augft.config.augft import AugftConfig
from axolotl_augft.judging.leaks import Leaks
from axolotl_augft.judging.markup import has_tokens, worth_finding
from axolotl_augft.judging.near_duplicates import NearDuplicates, Repeats
from axolotl_augft.judging.question_rules import judge_pair
from axolotl_augft.judging.read_questions import read_pairs
from axolotl_augft.judging.read_statements import Inference, complete_trace, read_inferences, read_text, says_none
from axolotl_augft.judging.rules import Duplicates, Judged, Reason, judge, judge_sentence, repeats_itself
from axolotl_augft.judging.support import is_echo
from axolotl_augft.store.responses import StoredAnswers
from axolotl_augft.strategies.task import Task
from axolotl_augft.teacher.answer import Answer, Outcome
from axolotl_augft.teacher.request import Request

_NOTHING = Inference("", "answer")
_QUESTION_END = " ?？؟."
_LEAST_LEFT = 2
_LEAST_OWN = 2
"""A text needs this part (one half) of what the teacher wrote, and as much of its sentences in words of its own."""
_SAMPLED = 100
_REPEATED = {
    Repeats.SOURCE: Reason.NEAR_DUPLICATE,
    Repeats.STATEMENT: Reason.DUPLICATE,
    Repeats.STATEMENT_BUT_FOR_ONE_WORD: Reason.NEAR_DUPLICATE,
}


def judged_inferences(
    tasks: Iterable[Task],
    store: StoredAnswers,
    config: AugftConfig,
    leaks: Leaks | None = None,
    special_tokens: Sequence[str] = (),
) -> Iterator[Judged]:
    """Yield every inference of every stored answer, kept or rejected; requests without a stored answer yield nothing.

    Args:
        tasks: The tasks; fastest with equal premises next to each other.
        store: What holds the answers: the response store, or what stands for it.
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


class RunningShare:
    """Judges a sample of the tasks of a round while they are asked, as far as they are answered.

    The sample holds the first tasks, which are answered soon, and as many of the others, drawn at random.

    Args:
        tasks: Makes the tasks in sending order; may be called more than once.
        judge: Judges the stored answers to tasks.
    """

    def __init__(
        self, tasks: Callable[[], Iterable[Task]], judge: Callable[[Iterable[Task]], Iterable[Judged]]
    ) -> None:
        self._tasks = tasks
        self._judge = judge
        self._first: list[Task] = []
        self._drawn: list[Task] = []

    def requests(self) -> Iterator[Request]:
        """Yield the requests of the tasks, and remember a sample of the tasks."""
        self._first, self._drawn = [], []
        draw = Random(0)
        for number, task in enumerate(self._tasks(), 1 - _SAMPLED):
            if number <= 0:
                self._first.append(task)
            elif len(self._drawn) < _SAMPLED:
                self._drawn.append(task)
            elif (place := draw.randrange(number)) < _SAMPLED:
                self._drawn[place] = task
            yield task.request

    def note(self) -> str:
        """Say how many of the statements so far are kept, "" before the first; the rest of the judging comes later."""
        kept = seen = 0
        for judged in self._judge([*self._first, *self._drawn]):
            seen += 1
            kept += judged.rejected is None
        return f"{kept / seen:.0%} of statements kept so far" if seen else ""


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
    elif task.reading.is_one_text:
        sentences = read_text(task, answer, config.language)
        judged = [Judged(task, s, judge_sentence(task, s, check_names, special)) for s in sentences]
    else:
        found = _reasoning(answer) if task.reading.keep_reasoning else []
        found += read_inferences(task, answer)
        judged = [Judged(task, inference, judge(task, inference, check_names, special)) for inference in found]
    return judged or [Judged(task, _NOTHING, Reason.EMPTY)]


def with_whole_texts(judged: Iterable[Judged], leaks: Leaks | None = None) -> Iterator[Judged]:
    """Put the sentences of each longer text together that are kept, and yield all else as it is.

    A rejected sentence is left out of its text. All of a text is rejected if less than half of it is left, if most of
    its sentences are the source's own, or if it says the same again and again.

    Args:
        judged: The inferences, those of an answer one after the other.
        leaks: Finds held-out answers; None if no rows are held out.
    """
    for _, of_task in groupby(judged, key=lambda j: id(j.task)):
        found = list(of_task)
        if found[0].inference.line is None:
            yield from found
            continue
        whole = _whole_text(found)
        if whole.rejected is None and leaks is not None and leaks.states(whole.inference):
            whole = replace(whole, rejected=Reason.LEAK)
        yield whole
        yield from (j for j in found if j.rejected and not whole.rejected)


def _whole_text(sentences: Sequence[Judged]) -> Judged:
    """Return the text that sentences make, or all of it with the reason why it is rejected."""
    task, kind = sentences[0].task, sentences[0].inference.kind
    kept = [j for j in sentences if j.rejected is None]
    everything, text = _joined(sentences), _joined(kept)
    own = [j for j in kept if not is_echo(j.inference.text, task.premises)]
    reason: Reason | None = None
    if repeats_itself(everything):
        reason = Reason.REPETITION
    elif len(text) * _LEAST_LEFT < len(everything):
        reason = Counter(j.rejected for j in sentences if j.rejected).most_common(1)[0][0]
    elif len(own) * _LEAST_OWN < len(kept):
        reason = Reason.ECHO
    probabilities = [j.probability for j in kept if j.probability is not None]
    return Judged(task, Inference(everything if reason else text, kind), reason, min(probabilities, default=None))


def _joined(sentences: Sequence[Judged]) -> str:
    """Join sentences in the lines in which they stood."""
    lines = groupby((j.inference for j in sentences), key=lambda sentence: sentence.line)
    return "\n".join(" ".join(sentence.text for sentence in line) for _, line in lines)


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


def _with_answers(tasks: Iterable[Task], store: StoredAnswers) -> Iterator[tuple[Task, Answer | None]]:
    for some in batched(tasks):
        answers = iter(store.get([task.request for task in some if task.is_asked]))
        yield from ((task, next(answers) if task.is_asked else None) for task in some)
