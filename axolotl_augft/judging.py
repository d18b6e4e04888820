"""Inferences -> kept or rejected with a reason. Rejections are no failures; they are counted and can be looked at."""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

from axolotl_augft.inferences import Inference
from axolotl_augft.naming import foreign_names, invented_words, unsupported
from axolotl_augft.seen import Seen
from axolotl_augft.tasks import Task
from axolotl_augft.wordings import POSSESSIVE, WORD, bare, normalised


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
# Control characters, halves of characters, and what Unicode does not define; joiners and no-break spaces belong to many languages.
_ODD = ("Cc", "Cs", "Co", "Cn")
_ENDS = tuple(".!?。！？…\"'”’)»」』|।؟")
_FEWEST_WORDS = 2
_CIRCLE = 3
T = TypeVar("T")
_LONG_PROMPT = 16 * 1024
_KEPT_LINES = 1024
_KEPT_PROMPTS = 32
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|[。！？]|\n")


@dataclass(frozen=True, slots=True)
class Check:
    """What statements must pass beyond form. `names`: name nothing that their premises lack (`verify: names`). `language`: ISO 639."""

    names: bool = False
    language: str = "en"


def judge(task: Task, inference: Inference, check: Check) -> Reason | None:
    """The first reason against an inference, None if there is none. Duplicates are found by `Duplicates`."""
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
    if _echoes(text, task.premises):
        return Reason.ECHO
    if copies_example(task, text, check.language):
        return Reason.COPIED_EXAMPLE
    if check.names and unsupported(task, inference, text, check.language):
        return Reason.UNSUPPORTED
    return None


class Duplicates:
    """Finds statements that were kept already, anywhere in the data set."""

    def __init__(self) -> None:
        self._seen = Seen()

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
    return "\ufffd" in text or not text.isprintable() and any(unicodedata.category(c) in _ODD and c not in allowed for c in text)


def _echoes(text: str, premises: tuple[str, ...]) -> bool:
    """Whether every sentence of it stands in the premises word for word."""
    sentences = [normal for part in _SENTENCE_END.split(text) if (normal := normalised(part))]
    source = _normalised_texts(premises)
    return f" {normalised(text)} " in source or all(f" {s} " in source for s in sentences)


def repeats_itself(text: str) -> bool:
    """Whether some sentence stands in it three times or more: the sign of a model that runs in a circle."""
    sentences = Counter(normal for part in _SENTENCE_END.split(text) if (normal := normalised(part)))
    return bool(sentences) and sentences.most_common(1)[0][1] >= _CIRCLE


def _is_unspaced(text: str) -> bool:
    """Scripts without spaces make few regular words of a long sentence."""
    return len(text) >= 6 and not text.isascii()


def leaks_label(task: Task, text: str) -> bool:
    """Whether it speaks of the documents it comes from, as "the text says", where they do not speak so themselves."""
    if _LABEL.search(text) and not any(_LABEL.search(p) for p in task.premises):
        return True
    return any(label in text for label in task.labels)


def copies_example(task: Task, text: str, language: str) -> bool:
    """Words of the prompt's own examples: the whole statement, or a name that the premises lack."""
    parts = _parts(task.request.prefix.text)
    if f" {normalised(text)} " in f" {' '.join(filter(None, map(_normalised_part, parts)))} ":
        return True
    # With their case: a German noun is no name because the instructions have the same word in small letters.
    names = {POSSESSIVE.sub("", name) for name in foreign_names(text, task.premises)}
    if names and not all(names.isdisjoint(_written_words(part)) for part in parts):
        return True
    invented = set(invented_words(text, task.premises)) if language == "en" else set()
    return bool(invented) and not all(invented.isdisjoint(_part_vocabulary(part)) for part in parts)


def _parts(prompt: str) -> list[str]:
    """A prompt of a few worked examples line by line, since other prompts have most of its lines too; one with documents as it is."""
    return prompt.splitlines() if len(prompt) < _LONG_PROMPT else [prompt]


def _kept(function: Callable[[str], T]) -> Callable[[str], T]:
    """A function of a prompt's part that remembers its results: many for lines, few for the megabytes that long prompts' would take."""
    of_line, of_prompt = lru_cache(_KEPT_LINES)(function), lru_cache(_KEPT_PROMPTS)(function)
    return lambda part: of_line(part) if len(part) < _LONG_PROMPT else of_prompt(part)


@_kept
def _normalised_part(part: str) -> str:
    return normalised(part)


@_kept
def _written_words(part: str) -> frozenset[str]:
    return frozenset(POSSESSIVE.sub("", w) for w in set(WORD.findall(part)))


@_kept
def _part_vocabulary(part: str) -> frozenset[str]:
    return frozenset(map(bare, set(WORD.findall(part))))


@lru_cache(maxsize=512)
def _normalised_texts(texts: tuple[str, ...]) -> str:
    return "\n".join(f" {normalised(text)} " for text in texts)
