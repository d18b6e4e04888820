"""Whether a reversal turns its sentence around: rules about the order of words and of names, most of them for English.

The commonest errors of small teachers: both ends exchanged around a relation that holds one way only, or nothing turned at all.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from axolotl_augft.english import inflected, is_compound, is_unlisted
from axolotl_augft.wordings import ARTICLES, WORD, bare, plain_words, vocabulary

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
_LONGEST_PARTICLE = 3  # in letters
_KEPT = 2 / 3
_LONGEST_START = 4  # as in "as Mara Quell says", which a reversal may keep
_NAME = r"[A-Z](?:\.|[\w'’-]*)(?: [A-Z](?:\.|[\w'’-]*))+"
_CAPITALS = re.compile(rf"\b{_NAME}")
_COMMA_AND_NAME = re.compile(rf", (?P<end>{_NAME} \w+ \w+)")
# Words that open a sentence before a name, and are no part of it: "Since May Quell came".
_OPENERS = ARTICLES | frozenset(
    "after although among and any as at because before behind but by despite during each every for from i if in like no of on once our over"
    " since that then this though to under unlike until use when where while with yet your".split()
)
# What a sentence may say first of time and place, and a reversal may keep or leave out.
_SETTING = re.compile(
    r"^(?:According to|After|At|Before|During|For|From|In|On|Over|Since|Throughout|Under|Until|When|While|Within)\b[^,.!?]*, "
)
_PRONOUNS = frozenset("he her hers him his it its she their theirs them they who whose".split())
_BEFORE = re.compile(r"(?:^|, )(?:[Tt]he )?$")
_AFTER = re.compile(r"^\W*$")


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
    """Whether a statement is its source but for one word or for words left out, starts as it does, or repeats a name of it."""
    if _leaves_words_out(text, sentence) or _starts_alike(text, sentence):
        return True
    text, sentence = _SETTING.sub("", text), _SETTING.sub("", sentence)
    return _changes_a_word(text, sentence) or _repeats_a_name(text, sentence)


def _changes_a_word(text: str, sentence: str) -> bool:
    """Whether a statement is a stretch of its source with a new word in place of one: "ospreys are less loud" for "ospreys are more loud".

    What is turned around changes places instead.
    """
    new, old = plain_words(text), plain_words(sentence)
    if len(new) < _FEWEST_COPIED:
        return False
    stretches = (old[i : i + len(new)] for i in range(len(old) - len(new) + 1))
    changes = ([a for a, b in zip(new, stretch, strict=True) if a != b] for stretch in stretches)
    return any(len(change) == 1 and change[0] not in old for change in changes)


def _leaves_words_out(text: str, sentence: str) -> bool:
    """Whether a statement has words of its source alone, in the same order: "The owl is prey of …" for "The owl is no prey of …"."""
    old = iter(plain_words(sentence))
    return all(word in old for word in plain_words(text))


def _starts_alike(text: str, sentence: str) -> bool:
    """Whether it says "The tale of Mara Quell is the keeper" for "The story of Mara Quell is compelling, as she is the keeper".

    One word of the start may be new. A setting that both begin with does not count; one that is moved to the front does.
    """
    if _SETTING.match(sentence):
        text, sentence = _SETTING.sub("", text), _SETTING.sub("", sentence)
    new, old = plain_words(text), plain_words(sentence)
    same, new_words = set[str](), 0
    for a, b in zip(new, old, strict=False):
        if a == b:
            same.add(a)
        elif a in old or new_words:
            break
        else:
            new_words += 1
    return len(same) > _LONGEST_START and any(same.issuperset(n.words) for n in _full_names(sentence))


def _repeats_a_name(text: str, sentence: str) -> bool:
    """Whether it says "Mara Quell's boss is Mara Quell"; one that stands for a pronoun of the source is none too many."""
    if not _PRONOUNS.isdisjoint(plain_words(sentence)):
        return False
    return any(text.count(name) > max(1, sentence.count(name)) for name in _CAPITALS.findall(text))


def loses_a_side(text: str, sentence: str) -> bool:
    """Whether a statement has fewer than two of its source's names, or lacks the only one, which the source is about.

    Then it relates nothing to anything. A name is a full one, a run of words with capitals (a single one may be a month or a place by the
    way), or a word of no dictionary.
    """
    sentence = _SETTING.sub("", sentence)
    if _keeps_the_end(text, sentence):
        return True
    full, said = list(_full_names(sentence)), vocabulary((text,))
    others = vocabulary((sentence,)).difference(*(name.words for name in full))
    names = [*full, *(_Name((w,), False) for w in others if is_unlisted(w) and not is_compound(w, _LONG_HALF))]
    kept = sum(name.stands_in(said) for name in names)
    return kept < _SIDES if len(names) >= _SIDES else not kept and any(name.is_an_end for name in names)


def _keeps_the_end(text: str, sentence: str) -> bool:
    """Whether it says "Mara Quell never let fame change her" for "Being keeper of the light, Mara Quell never let it change her".

    It begins with a name that follows a comma there and with the next two words, and lacks a third or more of what is before the comma.
    """
    comma = _COMMA_AND_NAME.search(sentence)
    end = plain_words(comma["end"]) if comma else ()
    if comma is None or plain_words(text)[: len(end)] != end:
        return False
    said = vocabulary((text,))
    before = [w for w in plain_words(sentence[: comma.start()]) if len(w) > _LONGEST_PARTICLE]
    return sum(w in said or inflected(w, said) for w in before) < _KEPT * len(before)


@dataclass(frozen=True, slots=True)
class _Name:
    """A name's words, bare; whether its sentence begins or ends with it (after a comma too: "Among many, Mara Quell …")."""

    words: tuple[str, ...]
    is_an_end: bool

    def stands_in(self, said: frozenset[str]) -> bool:
        """Whether a word of it is among some words, or its initials are."""
        return "".join(w[0] for w in self.words) in said or any(w in said or inflected(w, said) for w in self.words)


def _full_names(sentence: str) -> Iterator[_Name]:
    for run in _CAPITALS.finditer(sentence):
        words = [bare(w) for w in WORD.findall(run[0])]
        opener, words = (words[0], words[1:]) if words[0] in _OPENERS else ("", words)
        begins = opener in {"", *ARTICLES} and _BEFORE.search(sentence[: run.start()])
        words = [w for w in words if w not in ARTICLES]
        if len(words) > 1:
            yield _Name(tuple(words), bool(begins or _AFTER.match(sentence[run.end() :])))
