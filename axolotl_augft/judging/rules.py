"""Inferences -> kept or rejected with a reason. Rejections are no failures; they are counted and can be looked at."""

import hashlib
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from axolotl_augft.files.digest_set import DigestSet
from axolotl_augft.judging.read_statements import Inference
from axolotl_augft.judging.support import copies_example, echoes, unsupported
from axolotl_augft.strategies.task import Task
from axolotl_augft.text.words import WORD, normalised, normalised_sentences


class Reason(StrEnum):
    """Why an inference (or a whole answer) was rejected."""

    EMPTY = "empty"
    TRUNCATED = "truncated"
    MALFORMED = "malformed"
    REPETITION = "repetition"
    REFUSAL = "refusal"
    LABEL_LEAK = "label_leak"
    ECHO = "echo"
    COPIED_EXAMPLE = "copied_example"
    UNSUPPORTED = "unsupported"
    UNVERIFIED = "unverified"
    DUPLICATE = "duplicate"
    LEAK = "leak"
    FILTERED = "content_filter"
    INVALID = "invalid_request"


@dataclass(frozen=True, slots=True)
class Judged:
    """An inference of a task; `rejected` says why it is not used, None if it is."""

    task: Task
    inference: Inference
    rejected: Reason | None


REFUSAL = re.compile(
    r"\b(as an? (ai|language model)|i(’|')?m sorry|i am sorry"
    r"|i (can(no|['’])?t|am unable to|won['’]t) (help|assist|provide|answer|comply|fulfil))",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"\b(documents?|texts?|passages?|sentences?|facts?|statements?)\s+(\[|\(?#?\d+\b|(?:no|number)\b\.?\s*\d)"
    r"|\b(the|this|that|given|above|chosen|target) (documents?|passages?|sentences?|text)"
    r" (says?|states?|mentions?|implies|imply|describes?|tells?)\b"
    r"|\baccording to (the|this) (document|passage|sentence|text)\b",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"<\|[^|<>]{1,40}\|>|</?s>|\[/?INST\]|<(?:bos|eos|pad|unk)>|<(?:start|end)_of_turn>")
_BRACES = ("{{", "{%")
_FENCE = "```"
# Control characters, halves of characters, and what Unicode does not define; joiners and no-break spaces belong to many
# languages.
_ODD = ("Cc", "Cs", "Co", "Cn")
_ENDS = tuple(".!?。！？…\"'”’)»」』|।؟")
_FEWEST_WORDS = 2
_CIRCLE = 3


def judge(task: Task, inference: Inference, check_names: bool = False) -> Reason | None:
    """The first reason against an inference, None if there is none. Duplicates are found by `Duplicates`.

    Args:
        task: The task it answers.
        inference: A statement or a trace.
        check_names: Whether what its premises do not support is rejected (`verify: names`).
    """
    text = inference.text
    if inference.cut:
        return Reason.TRUNCATED
    if _malformed(task, text, inference.kind):
        return Reason.MALFORMED
    if repeats_itself(text):
        return Reason.REPETITION
    if REFUSAL.search(text):
        return Reason.REFUSAL
    if leaks_label(task, text):
        return Reason.LABEL_LEAK
    if echoes(text, task.premises):
        return Reason.ECHO
    if copies_example(task, text):
        return Reason.COPIED_EXAMPLE
    if check_names and unsupported(task, inference, text):
        return Reason.UNSUPPORTED
    return None


class Duplicates:
    """Finds statements that were kept already, anywhere in the data set."""

    def __init__(self) -> None:
        self._seen = DigestSet()

    def is_new(self, text: str) -> bool:
        """Whether this statement comes for the first time; remembers it."""
        return self._seen.add(hashlib.blake2b(normalised(text).encode(), digest_size=8).digest())


def _malformed(task: Task, text: str, kind: str) -> bool:
    words = WORD.findall(text)
    if len(words) < _FEWEST_WORDS and not _is_unspaced(text):
        return True
    if _FENCE in text or has_markup(task, text) or has_odd_characters(text, "\n\t\r" if kind == "trace" else ""):
        return True
    if kind == "trace":
        return False
    return not text.endswith(_ENDS) or text.count('"') % 2 == 1 or text.count("(") != text.count(")")


def has_markup(task: Task, text: str) -> bool:
    """Special tokens, or braces of a template language where the premises have none."""
    return bool(_TOKEN.search(text)) or any(b in text and not any(b in p for p in task.premises) for b in _BRACES)


def has_odd_characters(text: str, allowed: str = "") -> bool:
    """Characters that no text has."""
    return (
        "\ufffd" in text
        or not text.isprintable()
        and any(unicodedata.category(c) in _ODD and c not in allowed for c in text)
    )


def repeats_itself(text: str) -> bool:
    """Whether some sentence stands in it three times or more: the sign of a model that runs in a circle."""
    sentences = Counter(normalised_sentences(text))
    return bool(sentences) and sentences.most_common(1)[0][1] >= _CIRCLE


def _is_unspaced(text: str) -> bool:
    """Scripts without spaces make few regular words of a long sentence."""
    return len(text) >= 6 and not text.isascii()


def leaks_label(task: Task, text: str) -> bool:
    """Whether it speaks of the documents it comes from, as "the text says", where they do not speak so themselves."""
    if _LABEL.search(text) and not any(_LABEL.search(p) for p in task.premises):
        return True
    return any(label in text for label in task.labels)
