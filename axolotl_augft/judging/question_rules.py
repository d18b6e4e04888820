"""Questions with their answers -> kept or rejected with a reason: `judging` for augmentations that are rows of questions and answers."""

import re

from axolotl_augft.judging.read_statements import Inference
from axolotl_augft.judging.rules import (
    REFUSAL,
    Reason,
    has_markup,
    has_odd_characters,
    leaks_label,
    repeats_itself,
)
from axolotl_augft.judging.support import copies_example, foreign_names, unsupported
from axolotl_augft.strategies.task import Task
from axolotl_augft.text.words import normalised

_WORD = re.compile(r"\w+")
_LIST_NUMBER = re.compile(r"^\s*\d{1,3}[.)]\s", re.MULTILINE)
_FEWEST_WORDS = 2
_EXCHANGE = "(question|answer|conversation|exchange|instruction|response)"
_LABEL = re.compile(
    rf"\b(given|above|original) {_EXCHANGE}\b|\baccording to (the|this) {_EXCHANGE}\b"
    rf"|\b(the|this|that) {_EXCHANGE} (above|given|says?|states?|mentions?|asks?|describes?|tells?)\b",
    re.IGNORECASE,
)


def judge_pair(task: Task, pair: Inference, check_names: bool = False) -> Reason | None:
    """The first reason against a question with its answer, None if there is none. Duplicates are found by `Duplicates`.

    An answer that is the source row's own is not judged, only the question.
    """
    question, answer = pair.question or "", "" if pair.keeps_answer else pair.text
    written = f"{question}\n{answer}".strip()
    if pair.cut:
        return Reason.TRUNCATED
    if _malformed(question) or (not pair.keeps_answer and not _WORD.search(answer)) or _has_markup(task, written):
        return Reason.MALFORMED
    if repeats_itself(written):
        return Reason.REPETITION
    if REFUSAL.search(answer) and not any(REFUSAL.search(p) for p in task.premises):
        return Reason.REFUSAL
    if leaks_label(task, written) or _speaks_of_the_exchange(task, written):
        return Reason.LABEL_LEAK
    if _asks_again(task, question):
        return Reason.ECHO
    if copies_example(task, question) or (answer and copies_example(task, answer)):
        return Reason.COPIED_EXAMPLE
    if check_names and (unsupported(task, pair, _LIST_NUMBER.sub("", written)) or _asks_about_others(task, pair)):
        return Reason.UNSUPPORTED
    return None


def _malformed(question: str) -> bool:
    return len(_WORD.findall(question)) < _FEWEST_WORDS and (question.isascii() or len(question) < 4)


def _has_markup(task: Task, text: str) -> bool:
    """Special tokens, or characters that no text has; fences of code and line breaks belong to many answers."""
    return has_markup(task, text) or has_odd_characters(text, "\n\t\r")


def _speaks_of_the_exchange(task: Task, text: str) -> bool:
    return bool(_LABEL.search(text)) and not any(_LABEL.search(p) for p in task.premises)


def _asks_about_others(task: Task, pair: Inference) -> bool:
    """Whether a rephrased question leaves out whom or what the source's question names: then its answer is no answer to it."""
    return (
        pair.keeps_answer
        and task.exchange is not None
        and bool(foreign_names(task.exchange.question, (pair.question or "",)))
    )


def _asks_again(task: Task, question: str) -> bool:
    """Whether it is the source's own question, or one that was asked earlier in its conversation."""
    if task.exchange is None:
        return False
    asked = [task.exchange.question, *(turn.text for turn in task.exchange.before if turn.role == "user")]
    return normalised(question) in {normalised(q) for q in asked}
