"""What `verify: names` rejects: statements that name or copy what their premises lack, and reversals that turn nothing around.

The commonest errors of small teachers; none of the rules needs a model. They let pass what they cannot judge: a statement that is not
rejected here may still be wrong ("all mammals are wolves").
"""

import difflib
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from axolotl_augft.english import endings_off, inflected, is_compound, is_english, is_number, is_unlisted
from axolotl_augft.examples import Example
from axolotl_augft.inferences import Inference
from axolotl_augft.reversing import keeps_too_much, loses_a_side, swaps_ends
from axolotl_augft.sections import SEPARATOR
from axolotl_augft.tasks import Task
from axolotl_augft.wordings import WORD, bare, plain_words, vocabulary

_I = frozenset({"I", "I'm", "I’m", "I've", "I’ve", "I'd", "I’d", "I'll", "I’ll"})
_TITLE_BEFORE = re.compile(r"\b(?:Dr|Mr|Mrs|Ms|Prof|St|Jr|[A-Z])\.\s*$")
_START_BEFORE = re.compile(r"[.!?:\"“]\s*$")
_MISSPELT = 0.75
_SHORTEST_COPIED = 5  # shorter words ("have more") are no facts of an example
# "Carving a path, Mara Quell …": the first word is no name, though it has a capital.
_PARTICIPLE = re.compile(r"(?:^|[.!?] )([A-Z][a-z]+ing)\b[^,.!?]*, (?:[A-Z]|(?:he|she|it|we|you|they|one) )")
# What stands before the first sentence of a converted document's section: "Pump handbook > Alarms: It rings."
_HEADINGS = re.compile(rf"^[^\n]{{1,300}}?{SEPARATOR}[^\n:]*[:?!.]\s+")


def unsupported(task: Task, inference: Inference, text: str, language: str) -> bool:
    """Whether a statement names something its premises lack, swaps the ends of its sentence, or is a reversal that turns nothing around.

    Args:
        task: What was asked.
        inference: The statement, or a question with its answer.
        text: What of it is looked at.
        language: ISO 639 code; only English is looked up in a dictionary and has rules about the order of words.
    """
    if foreign_names(text, task.premises) or any(swaps_ends(text, s) for s in task.sentences):
        return True
    if language != "en":
        return False
    if invented_words(text, task.premises) or foreign_numbers(text, task.premises):
        return True
    return inference.kind == "reversal" and inference.question is None and _reverses_wrongly(task, inference, text)


def _reverses_wrongly(task: Task, inference: Inference, text: str) -> bool:
    if names_a_participle(text, task.premises) or copies_a_phrase(text, task.premises, task.examples):
        return True
    text = _HEADINGS.sub("", text)
    return any(keeps_too_much(text, s) or loses_a_side(text, s) for s in _source(task, inference))


def _source(task: Task, inference: Inference) -> list[str]:
    """The sentence that a statement is about, if that is known; source rows of questions and answers have none."""
    about = task.sentences
    if len(about) > 1:
        about = () if inference.sentence is None else (about[inference.sentence - task.first_sentence],)
    return [_HEADINGS.sub("", sentence) for sentence in about]


def foreign_names(text: str, premises: Iterable[str]) -> list[str]:
    """Names and numbers of a statement that its premises lack."""
    known = vocabulary(tuple(premises))
    return [name for name in _names(text) if bare(name) not in known]


def _names(text: str) -> Iterator[str]:
    """Words with a capital inside a sentence, or with a digit."""
    for match in WORD.finditer(text):
        word = match.group()
        if any(c.isdigit() for c in word) or (word[0].isupper() and word not in _I and _is_inside(text[: match.start()])):
            yield word


def _is_inside(before: str) -> bool:
    """Whether a word that stands after this is not the first of a sentence or quotation."""
    return bool(before.strip()) and not (_START_BEFORE.search(before) and not _TITLE_BEFORE.search(before))


def foreign_numbers(text: str, premises: Iterable[str]) -> list[str]:
    """English number words of a statement that its premises lack."""
    known = vocabulary(tuple(premises))
    return [word for word in WORD.findall(text.casefold()) if is_number(word) and word not in known]


def names_a_participle(text: str, premises: Iterable[str]) -> bool:
    """Whether a statement takes the participle that opens a sentence of its premises for a name: "the founder was Carving Evergreen"."""
    opening = {w for p in premises for w in _PARTICIPLE.findall(p) if any(map(is_english, endings_off(w.casefold())))}
    return not opening.isdisjoint(_names(text))


def copies_a_phrase(text: str, premises: Iterable[str], examples: Iterable[Example]) -> bool:
    """Whether two new words of a statement stand side by side in a worked example of its prompt: "the folding piano"."""
    known, words = vocabulary(tuple(premises)), plain_words(text)
    is_new = [len(w) >= _SHORTEST_COPIED and w not in known and not inflected(w, known) for w in words]
    pairs = {pair for pair, new in zip(pairwise(words), pairwise(is_new), strict=True) if all(new)}
    return bool(pairs) and any(not pairs.isdisjoint(pairwise(plain_words(e))) for example in examples for e in _texts(example))


def _texts(example: Example) -> Iterator[str]:
    yield example.text
    yield from (statement.text for statement in example.statements)


def invented_words(text: str, premises: Iterable[str]) -> list[str]:
    """Words that no English dictionary has and the premises lack: invented, or a misspelt name. Abbreviations in capitals are left out."""
    known = vocabulary(tuple(premises))
    words = (w.casefold() for w in WORD.findall(text) if w[1:].islower())
    return [w for w in words if is_unlisted(w) and w not in known and not (inflected(w, known) or _modern(w, known))]


def _modern(word: str, known: frozenset[str]) -> bool:
    """Whether it is a compound that dictionaries may lack, and no misspelling of a known word."""
    return is_compound(word) and not difflib.get_close_matches(word, known, n=1, cutoff=_MISSPELT)
