"""A statement, its premises and its prompt -> whether it is unsupported, an echo, or copied from a worked example.

These rules need no model and hold in any language. A statement that passes may still be wrong ("all mammals are
wolves"); only a model can judge whether it follows (`verify: teacher`).
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from axolotl_augft.judging.read_statements import Inference
from axolotl_augft.remembered import Remembered
from axolotl_augft.strategies.task import Task
from axolotl_augft.text.words import POSSESSIVE, WORD, bare, matched_words, normalised, normalised_sentences, vocabulary

# A word after one of these opens a sentence or a quotation, so its capital does not make it a name.
_OPENING = '.!?:…"“”„«»‹›¿¡(['
_SHORTEST_NAME = 2  # letters before an apostrophe: "I'm" is not a name
_LONG_PROMPT = 16 * 1024
_CACHED_LINES = 1024
_CACHED_PROMPTS = 32
_CACHED_PREMISES = 64
"""Tasks with equal premises are judged one after the other, those of a document at least."""


def unsupported(task: Task, inference: Inference, text: str) -> bool:
    """Whether a statement names what its premises lack, or is a reversal that merely drops words of its sentence.

    Args:
        task: The task that it answers.
        inference: The statement, or a question with its answer.
        text: The part of it to check.
    """
    if any(foreign_names(text, task.premises)):
        return True
    return (
        inference.kind == "reversal"
        and inference.question is None
        and any(is_subsequence(text, s) for s in task.sentences)
    )


def foreign_names(text: str, premises: Iterable[str]) -> list[str]:
    """List the names and the words with digits in a text that its premises lack.

    A capitalised word is a name unless it opens a sentence or a quotation.
    """
    known = vocabulary(tuple(premises))
    return [word for word in _names(text) if bare(word) not in known]


def _names(text: str) -> Iterator[str]:
    for match in WORD.finditer(text):
        word = match.group()
        if any(c.isdigit() for c in word):
            yield word
        elif word[0].isupper() and len(re.split("['’]", word)[0]) >= _SHORTEST_NAME:
            end = match.start()
            while end and text[end - 1].isspace():
                end -= 1
            if end and text[end - 1] not in _OPENING:
                yield word


def is_subsequence(text: str, sentence: str) -> bool:
    """Whether a statement consists only of words of a sentence, in the same order.

    Example: "The owl is prey of …" for "The owl is no prey of …".
    """
    left = iter(WORD.findall(sentence.casefold()))
    return all(word in left for word in WORD.findall(text.casefold()))


def is_echo(text: str, premises: tuple[str, ...]) -> bool:
    """Whether every sentence of a text occurs word for word in the premises."""
    source = _normalised_texts(premises)
    if f" {normalised(text)} " in source:
        return True
    # A sentence that is one of the source's own is found without a search through all of it.
    own = _sentences_of(premises)
    return all(s in own or f" {s} " in source for s in dict.fromkeys(normalised_sentences(text)))


def copies_example(task: Task, text: str) -> bool:
    """Whether a statement comes from the prompt's own text: all of it, or a name that the premises lack."""
    prompt = task.request.prefix.text
    if f" {normalised(text)} " in f" {_normalised_prompt(prompt)} ":
        return True
    # Compared with case: a capitalised German noun is not copied just because the instructions contain the same word in
    # lower case.
    names = {POSSESSIVE.sub("", name) for name in foreign_names(text, task.premises)}
    return bool(names) and not all(map(names.isdisjoint, _written_words(prompt)))


def copies_prompt(task: Task, text: str) -> bool:
    """Whether a text repeats a stretch of the prompt's instructions that the task's documents do not have."""
    documents: str | None = None
    for stretch in task.instructions.repeated_in(text):
        if documents is None:
            documents = "\n".join(f" {' '.join(matched_words(p))} " for p in (*task.premises, task.target.text))
        if f" {stretch} " not in documents:
            return True
    return False


@lru_cache(_CACHED_PROMPTS)
def _normalised_prompt(prompt: str) -> str:
    return " ".join(filter(None, map(_NORMALISED.__getitem__, _lines(prompt))))


@lru_cache(_CACHED_PROMPTS)
def _written_words(prompt: str) -> tuple[frozenset[str], ...]:
    """Return the words of each line, as they are written, without possessive endings."""
    return tuple(map(_WRITTEN.__getitem__, _lines(prompt)))


def _lines(prompt: str) -> list[str]:
    """Split a prompt of worked examples into lines, which other prompts share; keep a long one with documents whole."""
    return prompt.splitlines() if len(prompt) < _LONG_PROMPT else [prompt]


def _words_of(part: str) -> frozenset[str]:
    return frozenset(POSSESSIVE.sub("", w) for w in set(WORD.findall(part)))


_NORMALISED = Remembered(normalised, _CACHED_LINES, _LONG_PROMPT)
_WRITTEN = Remembered(_words_of, _CACHED_LINES, _LONG_PROMPT)


@lru_cache(maxsize=_CACHED_PREMISES)
def _sentences_of(texts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(sentence for text in texts for sentence in normalised_sentences(text))


@lru_cache(maxsize=_CACHED_PREMISES)
def _normalised_texts(texts: tuple[str, ...]) -> str:
    return "\n".join(f" {normalised(text)} " for text in texts)
