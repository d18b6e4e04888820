"""Whether a reversal turns its sentence around: rules about the order of words and of names, most of them for English.

The commonest errors of small teachers: both ends exchanged around a relation that holds one way only, or nothing turned at all.
"""

import re
from itertools import takewhile

from axolotl_augft.english import inflected, is_compound, is_unlisted
from axolotl_augft.wordings import ARTICLES, bare, plain_words, vocabulary

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
_FEWEST_COPIED = 3
_SIDES = 2
_LONG_HALF = 4  # three letters make up too many invented words
_LONGEST_START = 4
_CAPITALS = re.compile(r"\b[A-Z][\w'’-]*(?: [A-Z][\w'’-]*)+")
# Words that open a sentence before a name, and are no part of it: "Since May Quell came".
_OPENERS = ARTICLES | frozenset(
    "after although among and as at because before behind but by despite during for from if in like of on once over since that though to"
    " under unlike until when where while with yet".split()
)


def swaps_ends(text: str, sentence: str) -> bool:
    """Whether a statement is a stretch of its source with both ends exchanged around an unchanged relation: "the lab is head of Orla".

    What is alike before and after the exchanged ends does not matter. Around a mere copula that is a right reversal ("the head of the lab
    is Orla"), around what holds both ways ("is next to") too; around anything else it is mostly false.
    """
    new, old = plain_words(text), plain_words(sentence)
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


def keeps_too_much(text: str, sentence: str) -> bool:
    """Whether a statement is its source but for a word, begins as it does up to a name and beyond, or says a name once more than it."""
    return changes_a_word(text, sentence) or _starts_alike(text, sentence) or _repeats_a_name(text, sentence)


def changes_a_word(text: str, sentence: str) -> bool:
    """Whether a statement is a stretch of its source with a new word in place of one: "ospreys are less loud" for "ospreys are more loud".

    What is turned around changes places instead.
    """
    new, old = plain_words(text), plain_words(sentence)
    if len(new) < _FEWEST_COPIED:
        return False
    stretches = (old[i : i + len(new)] for i in range(len(old) - len(new) + 1))
    changes = ([a for a, b in zip(new, stretch, strict=True) if a != b] for stretch in stretches)
    return any(len(change) == 1 and change[0] not in old for change in changes)


def _starts_alike(text: str, sentence: str) -> bool:
    """Whether it says "The story of Mara Quell is the keeper" for "The story of Mara Quell is compelling, as she is the keeper"."""
    pairs = zip(plain_words(text), plain_words(sentence), strict=False)
    start = {bare(new) for new, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)}
    return len(start) > _LONGEST_START and any(name <= start for name in _full_names(sentence))


def _repeats_a_name(text: str, sentence: str) -> bool:
    """Whether it says "Mara Quell's boss is Mara Quell"."""
    return any(text.count(name) > max(1, sentence.count(name)) for name in _CAPITALS.findall(text))


def loses_a_side(text: str, sentence: str) -> bool:
    """Whether a statement has fewer than two of its source's names, or lacks its only full one: then it relates nothing to anything.

    A name is a full one, a run of words with capitals (a single one may be a month or a place by the way), or a word of no dictionary.
    """
    full, said = _full_names(sentence), vocabulary((text,))
    names = [*full, *({w} for w in vocabulary((sentence,)).difference(*full) if is_unlisted(w) and not is_compound(w, _LONG_HALF))]
    needed = _SIDES if len(names) >= _SIDES else len(full)
    return sum(any(w in said or inflected(w, said) for w in name) for name in names) < needed


def _full_names(sentence: str) -> list[frozenset[str]]:
    """The words of each run of two and more with capitals."""
    runs = ([bare(w) for w in run.split()] for run in _CAPITALS.findall(sentence))
    names = (frozenset(run[1:] if run[0] in _OPENERS else run) for run in runs)
    return [name for name in names if len(name) > 1]
