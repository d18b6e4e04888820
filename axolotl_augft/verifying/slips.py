"""A true sentence of a source -> the same sentence with one planted slip, which makes it false.

Slips are what a verifier's threshold is found by: they are known to be false without anyone having read them. Those of
names and numbers need no word of any language. The others need lists of words, which there are for some languages. What
stands in the place of a word must make every sentence one that does not follow from the true one; a phrase that maps to
itself ("no longer" among the comparisons) is left alone, where a word of it would not.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path

import orjson

from axolotl_augft.text.names import Name, find_names
from axolotl_augft.text.words import WORD, normalised

_FOLDER = Path(__file__).parent / "words"
_NUMBER = re.compile(r"(?<![\w.,])\d{1,4}(?![\w.,]*\d)")
_FEWEST_WORDS = 4
_FEWEST_BETWEEN = 2
"""Words between two names that change places; what joins names with fewer is mostly a list, whose order is free."""


@dataclass(frozen=True, slots=True)
class Slip:
    """A false sentence.

    Attributes:
        text: The sentence with the slip.
        kind: What was changed: `names`, `other name`, `number`, or a kind of the language's lists of words.
    """

    text: str
    kind: str


def slips(sentence: str, language: str, around: str = "") -> list[Slip]:
    """Return the slips that can be planted in a sentence, at most one of each kind, the same ones every time.

    Args:
        sentence: A true sentence.
        language: ISO 639 code of its language.
        around: The text that it stands in; a name from it may take the place of one in the sentence.
    """
    if len(WORD.findall(sentence)) < _FEWEST_WORDS:
        return []
    changes: dict[str, Iterable[str]] = {
        "names": _pairs_exchanged(sentence),
        "other name": _other_name(sentence, around),
        "number": _number_changed(sentence),
        **{kind: _words_changed(sentence, words) for kind, words in _words_of(language).items()},
    }
    found = []
    for kind, changed in changes.items():
        false = [text for text in changed if normalised(text) != normalised(sentence)]
        if false:
            found.append(Slip(false[_drawn(sentence, kind, len(false))], kind))
    return found


def _names(text: str) -> Iterator[Name]:
    """Find the names of a text, whose other words tell whether its first one is an article."""
    return find_names(text, WORD.findall(text))


def names_exchanged(sentence: str) -> str | None:
    """Return a sentence with its first and last name exchanged; None if it has no two that are far enough apart."""
    found = list(_names(sentence))
    return _exchanged(sentence, found[0], found[-1]) if len(found) > 1 else None


def _pairs_exchanged(sentence: str) -> Iterator[str]:
    for first, second in combinations(_names(sentence), 2):
        if changed := _exchanged(sentence, first, second):
            yield changed


def _exchanged(sentence: str, first: Name, second: Name) -> str | None:
    between = sentence[first.end : second.start]
    if first.text == second.text or "," in between or len(WORD.findall(between)) < _FEWEST_BETWEEN:
        return None
    return f"{sentence[: first.start]}{second.text}{between}{first.text}{sentence[second.end :]}"


def _other_name(sentence: str, around: str) -> Iterator[str]:
    """Put another name of the text in the place of a name, so that what is said of one is said of the other."""
    others = [name.text for name in _names(around) if " " in name.text and name.text not in sentence]
    for name in _names(sentence):
        for other in dict.fromkeys(others):
            if " " in name.text and not set(other.split()) & set(name.text.split()):
                yield f"{sentence[: name.start]}{other}{sentence[name.end :]}"


def _number_changed(sentence: str) -> Iterator[str]:
    for match in _NUMBER.finditer(sentence):
        number = int(match.group())
        step = 1 + _drawn(sentence, match.group(), 3)
        yield f"{sentence[: match.start()]}{number + step}{sentence[match.end() :]}"


def _words_changed(sentence: str, words: Mapping[str, str]) -> Iterator[str]:
    for match in _any_of(tuple(words)).finditer(sentence):
        new = words[match.group().lower()]
        if match.group()[0].isupper():
            new = new[:1].upper() + new[1:]
        yield f"{sentence[: match.start()]}{new}{sentence[match.end() :]}"


@cache
def _any_of(words: tuple[str, ...]) -> re.Pattern[str]:
    """Match any of the words; longer ones first, so that "is not" is not read as "is"."""
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)


@cache
def _words_of(language: str) -> dict[str, dict[str, str]]:
    """Load a language's lists: for each kind of slip, words and what takes their place; empty if there are none."""
    file = _FOLDER / f"{language}.json"
    return orjson.loads(file.read_bytes()) if file.is_file() else {}


def _drawn(sentence: str, kind: str, choices: int) -> int:
    digest = hashlib.blake2b(f"{kind}\0{sentence}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % choices
