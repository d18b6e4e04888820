"""Question-and-answer pairs -> kept or rejected with a reason; `judging.rules` does the same for statements."""

import re
from collections.abc import Sequence

from axolotl_augft.judging.labels import read_line
from axolotl_augft.judging.markup import has_markup, has_odd_characters, has_tokens
from axolotl_augft.judging.read_statements import Inference
from axolotl_augft.judging.rules import REFUSAL, Reason, is_chatter, leaks_label, repeats_itself
from axolotl_augft.judging.support import copies_example, copies_prompt, foreign_names, unsupported
from axolotl_augft.strategies.task import Task
from axolotl_augft.text.words import normalised, says

_WORD = re.compile(r"\w+")
_LIST_NUMBER = re.compile(r"^[ \t]{0,40}\d{1,3}[.)][ \t]", re.MULTILINE)
_FEWEST_WORDS = 2
_EXCHANGE = "(question|answer|conversation|exchange|instruction|response)"
_LABEL = re.compile(
    rf"\b(given|above|original) {_EXCHANGE}\b|\baccording to (the|this) {_EXCHANGE}\b"
    rf"|\b(the|this|that) {_EXCHANGE} (above|given|says?|states?|mentions?|asks?|describes?|tells?)\b",
    re.IGNORECASE,
)


def judge_pair(
    task: Task, pair: Inference, check_names: bool = False, special_tokens: Sequence[str] = ()
) -> Reason | None:
    """Return the first reason to reject a question-and-answer pair, or None. `Duplicates` finds duplicates.

    An answer that is the source row's own is not judged; only its question is.

    Args:
        task: The task that the pair answers.
        pair: The question and its answer.
        check_names: Reject pairs that name what their premises lack (`verify: names`).
        special_tokens: The student's special tokens.
    """
    question, answer = pair.question or "", "" if pair.keeps_answer else pair.text
    written = f"{question}\n{answer}".strip()
    if pair.cut:
        return Reason.TRUNCATED
    if _malformed(question) or (not pair.keeps_answer and not _WORD.search(answer)):
        return Reason.MALFORMED
    if _has_markup(task, written) or has_tokens(written, special_tokens):
        return Reason.MALFORMED
    if repeats_itself(written):
        return Reason.REPETITION
    if REFUSAL.search(answer) and not any(REFUSAL.search(p) for p in task.premises):
        return Reason.REFUSAL
    if is_chatter(task, question) or (answer and is_chatter(task, answer)):
        return Reason.CHATTER
    if copies_prompt(task, written):
        return Reason.COPIED_PROMPT
    if read_line(question).labelled or leaks_label(task, written) or _speaks_of_the_exchange(task, written):
        return Reason.LABEL_LEAK
    if _asks_again(task, question):
        return Reason.ECHO
    # A short answer such as "yes" is that of some example, too; only a name that is foreign tells that it is copied.
    own = written if task.reading.short_answers else answer
    if copies_example(task, question) or (own and copies_example(task, own)):
        return Reason.COPIED_EXAMPLE
    if pair.kind == "detail" and task.reading.short_answers and (reason := _judge_detail(task, question, answer)):
        return reason
    if check_names and (unsupported(task, pair, _LIST_NUMBER.sub("", written)) or _asks_about_others(task, pair)):
        return Reason.UNSUPPORTED
    return None


def _judge_detail(task: Task, question: str, answer: str) -> Reason | None:
    """Judge a question about a detail, whose short answer is to be words of the source that it does not hold itself."""
    if not says(task.target.text, answer):
        return Reason.UNSUPPORTED
    return Reason.GIVEN_AWAY if says(question, answer) else None


def _malformed(question: str) -> bool:
    return len(_WORD.findall(question)) < _FEWEST_WORDS and (question.isascii() or len(question) < 4)


def _has_markup(task: Task, text: str) -> bool:
    """Whether a text has special tokens or invalid characters; code fences and line breaks are normal in answers."""
    return has_markup(text, task.premises) or has_odd_characters(text, "\n\t\r", task.premises)


def _speaks_of_the_exchange(task: Task, text: str) -> bool:
    return bool(_LABEL.search(text)) and not any(_LABEL.search(p) for p in task.premises)


def _asks_about_others(task: Task, pair: Inference) -> bool:
    """Whether a rephrased question drops a name of the source's question, so that the source's answer may not fit."""
    return (
        pair.keeps_answer
        and task.exchange is not None
        and bool(foreign_names(task.exchange.question, (pair.question or "",)))
    )


def _asks_again(task: Task, question: str) -> bool:
    """Whether a question is the source's own, or one that was asked earlier in the source's conversation."""
    if task.exchange is None:
        return False
    asked = [task.exchange.question, *(turn.text for turn in task.exchange.before if turn.role == "user")]
    return normalised(question) in {normalised(q) for q in asked}
