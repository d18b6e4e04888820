"""What `verify: names` rejects: statements that name what their premises lack, and reversals that turn nothing around.

The commonest errors of small teachers; none of the rules needs a model. They let pass what they cannot judge: a statement that is not
rejected here may still be wrong ("all mammals are wolves").
"""

import difflib
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from axolotl_augft.english import endings_off, is_compound, is_english, is_number, stems
from axolotl_augft.inferences import Inference
from axolotl_augft.tasks import Task
from axolotl_augft.wordings import WORD, bare, vocabulary

_I = frozenset({"I", "I'm", "I’m", "I've", "I’ve", "I'd", "I’d", "I'll", "I’ll"})
_TITLE_BEFORE = re.compile(r"\b(?:Dr|Mr|Mrs|Ms|Prof|St|Jr|[A-Z])\.\s*$")
_START_BEFORE = re.compile(r"[.!?:\"“]\s*$")
_ARTICLES = frozenset({"a", "an", "the"})
# What may stand between two ends that are exchanged without a change of meaning: links, with or without words that hold both ways,
# or one verb of a place or of speech ("on the hill stands a castle").
_LINKS = frozenset(
    "is are was were be been being has have had will would may might must and or remain remains remained"
    " now then also still not never no longer once currently formerly always often usually perhaps".split()
)
_PERFECT = frozenset({"has", "have", "had"})
_BOTH_WAYS = frozenset(
    "brother sister twin cousin friend partner colleague neighbor neighbour married next adjacent beside near opposite borders border"
    " bordered meets met equals same different related".split()
)
_PREPOSITIONS = frozenset({"as", "of", "to", "from"})
_INVERTED = frozenset("stands stood lies lay sits sat hangs hung said says asked".split())
_LONGEST_SWAP = 60
_SHORTEST_NAME = 3
_MISSPELT = 0.75
_FEWEST_COPIED = 3
_SIDES = 2
_CAPITALS = re.compile(r"\b[A-Z][\w'’-]*(?: [A-Z][\w'’-]*)+")


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
    reverses = inference.kind == "reversal" and inference.question is None
    return reverses and any(changes_a_word(text, s) or loses_a_side(text, s) for s in _source(task, inference))


def _source(task: Task, inference: Inference) -> tuple[str, ...]:
    """The sentence that a statement is about, if that is known; source rows of questions and answers have none."""
    if len(task.sentences) == 1 or inference.sentence is None:
        return task.sentences if len(task.sentences) == 1 else ()
    return (task.sentences[inference.sentence - task.first_sentence],)


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


def invented_words(text: str, premises: Iterable[str]) -> list[str]:
    """Words that no English dictionary has and the premises lack: invented, or a misspelt name. Abbreviations in capitals are left out."""
    known = vocabulary(tuple(premises))
    words = (w.casefold() for w in WORD.findall(text) if _may_be_invented(w) and w[1:].islower())
    return [w for w in words if w not in known and not (is_english(w) or _inflected(w, known) or _modern(w, known))]


def _may_be_invented(word: str) -> bool:
    return word.isalpha() and len(word) >= _SHORTEST_NAME


def _modern(word: str, known: frozenset[str]) -> bool:
    """Whether it is a compound that dictionaries may lack, and no misspelling of a known word."""
    return is_compound(word) and not difflib.get_close_matches(word, known, n=1, cutoff=_MISSPELT)


def _inflected(word: str, known: frozenset[str]) -> bool:
    """Whether it is a known word with a suffix, without one, or with another ending of verbs and plurals."""
    if any(stem in known for stem in stems(word)):
        return True
    forms = set(endings_off(word))
    return any(word in stems(k) or not forms.isdisjoint(endings_off(k)) for k in known if k.startswith(word[:3]))


def swaps_ends(text: str, sentence: str) -> bool:
    """Whether a statement is a stretch of its source with both ends exchanged around an unchanged relation: "the lab is head of Orla".

    What is alike before and after the exchanged ends does not matter. Around a mere copula that is a right reversal ("the head of the lab
    is Orla"), around what holds both ways ("is next to") too; around anything else it is mostly false.
    """
    new, old = _plain_words(text), _plain_words(sentence)
    if len(new) > _LONGEST_SWAP or not set(old).issuperset(new):
        return False
    return any(_swapped(new, old[i : i + len(new)]) for i in range(len(old) - len(new) + 1))


def _swapped(new: tuple[str, ...], old: tuple[str, ...]) -> bool:
    if new == old or sorted(new) != sorted(old):
        return False
    differ = [i for i, (a, b) in enumerate(zip(new, old, strict=True)) if a != b]
    new, old = new[differ[0] : differ[-1] + 1], old[differ[0] : differ[-1] + 1]
    n = len(old)
    last = [i for i in range(1, n) if new[:i] == old[n - i :]]
    first = [j for j in range(1, n) if new[n - j :] == old[:j]]
    middles = (old[j : n - i] for i in last for j in first if i + j < n and new[i : n - j] == old[j : n - i])
    return any(not _holds_both_ways(middle) for middle in middles)


def _holds_both_ways(middle: tuple[str, ...]) -> bool:
    words = set(middle)
    if words & _PERFECT and "been" not in words:
        return False
    rest = words - _LINKS
    both_ways = bool(rest & _BOTH_WAYS) and rest <= _BOTH_WAYS | _PREPOSITIONS
    return not rest or both_ways or (len(middle) == 1 and middle[0] in _INVERTED)


def changes_a_word(text: str, sentence: str) -> bool:
    """Whether a statement is a stretch of its source with a new word in place of one: "ospreys are less loud" for "ospreys are more loud".

    What is turned around changes places instead.
    """
    new, old = _plain_words(text), _plain_words(sentence)
    if len(new) < _FEWEST_COPIED:
        return False
    stretches = (old[i : i + len(new)] for i in range(len(old) - len(new) + 1))
    changes = ([a for a, b in zip(new, stretch, strict=True) if a != b] for stretch in stretches)
    return any(len(change) == 1 and change[0] not in old for change in changes)


def loses_a_side(text: str, sentence: str) -> bool:
    """Whether a sentence has several names, and fewer than two of them stand in a statement: then it relates nothing to anything.

    A name is a run of words with capitals (a single one may be a month or a place by the way), or a word of no dictionary.
    """
    names, said = list(_named(sentence)), vocabulary((text,))
    return len(names) >= _SIDES and sum(any(w in said or _inflected(w, said) for w in name) for name in names) < _SIDES


def _named(sentence: str) -> Iterator[set[str]]:
    runs = [run.split() for run in _CAPITALS.findall(sentence)]
    if runs and sentence.startswith(runs[0][0]) and is_english(runs[0][0].casefold()):
        runs[0] = runs[0][1:]
    names = [{bare(w) for w in run} - _ARTICLES for run in runs]
    yield from (name for name in names if len(name) > 1)
    yield from ({w} for w in vocabulary((sentence,)).difference(*names) if _may_be_invented(w) and not is_english(w))


@lru_cache(maxsize=512)
def _plain_words(text: str) -> tuple[str, ...]:
    """The words of a text without articles; a possessive ending is a word of its own."""
    apart = re.sub(r"(?<=\w)['’]s\b", " 's", text.casefold())
    return tuple(w for w in re.findall(rf"'s|{WORD.pattern}", apart) if w not in _ARTICLES)
