"""Do the premises of a statement, and its prompt's own examples, leave it standing? Rules that hold in any language, and need no model.

A statement that passes may still be wrong ("all mammals are wolves"); whether it follows is for a model to say
(`verify: teacher`).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import TypeVar

from axolotl_augft.judging.read_statements import Inference
from axolotl_augft.strategies.task import Task
from axolotl_augft.text.words import POSSESSIVE, WORD, bare, normalised, normalised_sentences, vocabulary

T = TypeVar("T")
# A word after one of these opens a sentence or a quotation, and has its capital from that.
_OPENING = re.compile(r"[.!?:…\"“”„«»‹›¿¡(\[]\s*$")
_SHORTEST_NAME = 2  # letters before an apostrophe: "I'm" is no name
_LONG_PROMPT = 16 * 1024
_KEPT_LINES = 1024
_KEPT_PROMPTS = 32


def unsupported(task: Task, inference: Inference, text: str) -> bool:
    """Whether a statement names what its premises lack, or is a reversal that only leaves words of its sentence out.

    Args:
        task: The task it answers.
        inference: The statement, or a question with its answer.
        text: The part of it to look at.
    """
    if any(foreign_names(text, task.premises)):
        return True
    return (
        inference.kind == "reversal" and inference.question is None and any(in_order(text, s) for s in task.sentences)
    )


def foreign_names(text: str, premises: Iterable[str]) -> list[str]:
    """Names (words with a capital that open no sentence) and words with digits that a statement has and its premises lack."""
    known = vocabulary(tuple(premises))
    return [word for word in _names(text) if bare(word) not in known]


def _names(text: str) -> Iterator[str]:
    for match in WORD.finditer(text):
        word = match.group()
        if any(c.isdigit() for c in word):
            yield word
        elif word[0].isupper() and len(re.split("['’]", word)[0]) >= _SHORTEST_NAME:
            before = text[: match.start()]
            if before.strip() and not _OPENING.search(before):
                yield word


def in_order(text: str, sentence: str) -> bool:
    """Whether a statement has words of a sentence alone, in the sentence's order: "The owl is prey of …" for "The owl is no prey of …"."""
    left = iter(WORD.findall(sentence.casefold()))
    return all(word in left for word in WORD.findall(text.casefold()))


def echoes(text: str, premises: tuple[str, ...]) -> bool:
    """Whether every sentence of it stands in the premises word for word."""
    source = _normalised_texts(premises)
    return f" {normalised(text)} " in source or all(f" {s} " in source for s in normalised_sentences(text))


def copies_example(task: Task, text: str) -> bool:
    """Whether it is from the prompt's own examples: the whole statement, or a name that the premises lack."""
    parts = _parts(task.request.prefix.text)
    if f" {normalised(text)} " in f" {' '.join(filter(None, map(_normalised_part, parts)))} ":
        return True
    # With their case: a German noun is no name because the instructions have the same word in small letters.
    names = {POSSESSIVE.sub("", name) for name in foreign_names(text, task.premises)}
    return bool(names) and not all(names.isdisjoint(_written_words(part)) for part in parts)


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


@lru_cache(maxsize=512)
def _normalised_texts(texts: tuple[str, ...]) -> str:
    return "\n".join(f" {normalised(text)} " for text in texts)
