"""What `verify: names` rejects: statements that name what their premises lack, and reversals that turn nothing around.

A small teacher's commonest errors; none of the rules needs a model.
"""

import difflib
import re
from collections.abc import Iterable, Iterator

from axolotl_augft.english import is_compound, is_english, is_number, stems
from axolotl_augft.inferences import Inference
from axolotl_augft.tasks import Task
from axolotl_augft.wordings import WORD, bare, normalised, vocabulary

_I = frozenset({"I", "I'm", "I’m", "I've", "I’ve", "I'd", "I’d", "I'll", "I’ll"})
_ARTICLES = frozenset({"a", "an", "the"})
_COPULAS = frozenset({"is", "are", "was", "were", "be"})
_SHORTEST_NAME = 3
_MISSPELT = 0.75
_FEWEST_COPIED = 3
_SIDES = 2


def unsupported(task: Task, inference: Inference, text: str, language: str) -> bool:
    """Whether a statement names something its premises lack, swaps the ends of its sentence, or is a reversal that turns nothing around.

    Args:
        task: What was asked.
        inference: The statement, or a question with its answer.
        text: What of it is looked at.
        language: ISO 639 code; invented words, number words and sides need an English dictionary.
    """
    if foreign_names(text, task.premises) or any(swaps_ends(text, s) for s in task.sentences):
        return True
    reverses = inference.kind == "reversal"
    if reverses and any(changes_a_word(text, s) for s in _source(task, inference)):
        return True
    if language != "en":
        return False
    if invented_words(text, task.premises) or foreign_numbers(text, task.premises):
        return True
    return reverses and any(loses_a_side(text, s) for s in _source(task, inference))


def _source(task: Task, inference: Inference) -> tuple[str, ...]:
    """The sentence that a statement is about, if that is known."""
    if len(task.sentences) == 1:
        return task.sentences
    if inference.sentence is None:
        return ()
    return task.sentences[inference.sentence - task.first_sentence :][:1]


def foreign_names(text: str, premises: Iterable[str]) -> list[str]:
    """Names and numbers of a statement that its premises lack."""
    known = vocabulary(tuple(premises))
    return [name for name in _names(text) if bare(name) not in known]


def _names(text: str) -> Iterator[str]:
    """Words with a capital inside a sentence, or with a digit."""
    for match in WORD.finditer(text):
        word = match.group()
        if any(c.isdigit() for c in word) or (word[0].isupper() and _is_inside(text, match.start()) and word not in _I):
            yield word


def _is_inside(text: str, start: int) -> bool:
    """Whether a word that starts there is not the first of a sentence or quotation."""
    return bool(text[:start].strip()) and not re.search(r"[.!?:\"“]\s*$", text[:start])


def foreign_numbers(text: str, premises: Iterable[str]) -> list[str]:
    """English number words of a statement that its premises lack."""
    known = vocabulary(tuple(premises))
    return [word for word in WORD.findall(text.casefold()) if is_number(word) and word not in known]


def invented_words(text: str, premises: Iterable[str]) -> list[str]:
    """Words that no English dictionary has and the premises lack: invented, or a misspelt name. Abbreviations in capitals are left out."""
    known = vocabulary(tuple(premises))
    words = (w.casefold() for w in WORD.findall(text) if w.isalpha() and w[1:].islower() and len(w) >= _SHORTEST_NAME)
    return [w for w in words if w not in known and not (is_english(w) or _inflected(w, known) or _modern(w, known))]


def _modern(word: str, known: frozenset[str]) -> bool:
    """Whether it is a compound that dictionaries may lack, and no misspelling of a known word."""
    return is_compound(word) and not difflib.get_close_matches(word, known, n=1, cutoff=_MISSPELT)


def _inflected(word: str, known: frozenset[str]) -> bool:
    """Whether it is a known word with another suffix, or without one."""
    forms = {word, *stems(word)}
    return not forms.isdisjoint(known) or any(not forms.isdisjoint(stems(k)) for k in known if k.startswith(word[:3]))


def swaps_ends(text: str, sentence: str) -> bool:
    """Whether a statement is a stretch of its source with both ends exchanged around an unchanged relation: "the lab is head of Orla".

    Around a mere copula that is a right reversal ("the head of the lab is Orla"); around anything else it is mostly false, and the
    commonest error of small teachers.
    """
    new, old = _plain_words(text), _plain_words(sentence)
    return set(old).issuperset(new) and any(_swapped(new, stretch) for stretch in _stretches(old, len(new)))


def _swapped(new: list[str], old: list[str]) -> bool:
    n = len(old)
    if new == old or sorted(new) != sorted(old):
        return False
    ends = ((i, j) for i in range(1, n) for j in range(1, n - i) if new[:i] == old[n - i :] and new[n - j :] == old[:j])
    return any(new[i : n - j] == old[j : n - i] and not _COPULAS.issuperset(old[j : n - i]) for i, j in ends)


def changes_a_word(text: str, sentence: str) -> bool:
    """Whether a statement is a stretch of its source with one word exchanged: "ospreys are less loud" for "ospreys are more loud".

    A reversal never is: what changes places changes two words at least.
    """
    new = _plain_words(text)
    stretches = _stretches(_plain_words(sentence), len(new)) if len(new) >= _FEWEST_COPIED else []
    return any(sum(a != b for a, b in zip(new, old, strict=True)) == 1 for old in stretches)


def loses_a_side(text: str, sentence: str) -> bool:
    """Whether fewer than two of the names in a sentence, which has two or more, stand in a statement: then it relates nothing to anything.

    A name is a run of words with capitals, or a word that no English dictionary has.
    """
    names, said = _named(sentence), vocabulary((text,))
    return len(names) >= _SIDES and sum(any(w in said or _inflected(w, said) for w in name) for name in names) < _SIDES


def _named(text: str) -> list[set[str]]:
    """The names in a text, each with its words."""
    names: list[set[str]] = []
    end = None
    for match in WORD.finditer(text):
        word = match.group()
        if word[0].isupper() and word not in _I and _is_inside(text, match.start()):
            if end is not None and text[end : match.start()].isspace():
                names[-1].add(bare(word))
            else:
                names.append({bare(word)})
            end = match.end()
        elif word.isalpha() and len(word) >= _SHORTEST_NAME and not is_english(word.casefold()):
            names.append({bare(word)})
            end = match.end() if word[0].isupper() else None
        else:
            end = None
    return names


def _stretches(words: list[str], length: int) -> list[list[str]]:
    return [words[i : i + length] for i in range(len(words) - length + 1)]


def _plain_words(text: str) -> list[str]:
    return [w for w in normalised(text).split() if w not in _ARTICLES]
