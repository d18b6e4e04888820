"""Text -> the names and numbers in it, told by their capitals and digits; knows hardly a word of any language.

A capital says little where a sentence begins. `Capitals` therefore notes how the other sentences of a data set write
their words. Scripts without capitals (Chinese, Arabic, Hindi …) have no names here, only numbers.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from axolotl_augft.text.words import WORD

_CAPITAL = "".join(c for c in map(chr, range(ord("A"), 0x2000)) if c.isupper() or c.istitle())
# A name of one or several capitalised words.
_NAME = re.compile(
    rf"(?<!\w)[{_CAPITAL}]\w*(?:['’-]\w*[{_CAPITAL}]\w*)*"
    rf"(?:[ -](?:of the |of |de |van |von )?[{_CAPITAL}0-9]\w*)*"
)
_NUMBER = re.compile(r"(?<!\w)\d+(?:[.,:/–-]\d+)*(?!\w)")
_OPENING = "\"'“„«‹¿¡([ "


@dataclass(frozen=True, slots=True)
class Name:
    """A name or a number, and where it stands in a text."""

    text: str
    start: int
    end: int


@dataclass
class Capitals:
    """How the sentences of a data set write their words, apart from the first word of each.

    Attributes:
        small: Words that are written without a capital.
        inside: Words that are written with one.
    """

    small: set[str] = field(default_factory=set)
    inside: set[str] = field(default_factory=set)

    def add(self, sentence: str) -> None:
        """Note the words of a sentence."""
        for word in WORD.findall(sentence)[1:]:
            (self.small if word[0].islower() else self.inside).add(word)

    def names(self, sentence: str) -> list[Name]:
        """Find the names and numbers of a sentence, in their order.

        Its first word counts if some sentence writes it with a capital elsewhere, or if another capitalised word
        follows it, and none writes it small.
        """
        found = list(find_names(sentence, self.small, self.inside))
        taken = [range(name.start, name.end) for name in found]
        numbers = (Name(m.group(), m.start(), m.end()) for m in _NUMBER.finditer(sentence))
        apart = (number for number in numbers if not any(number.start in one for one in taken))
        return sorted(chain(found, apart), key=lambda name: name.start)


def find_names(text: str, small: Collection[str], inside: Collection[str] = ()) -> Iterator[Name]:
    """Find the names of a sentence.

    The capital of the first word says nothing. The word is part of a name if another capitalised word follows or it is
    in `inside`, unless it is in `small`, as an article is.

    Args:
        text: The sentence.
        small: Words that are known to be written without a capital.
        inside: Words that are known to be written with a capital where no sentence begins.
    """
    opening = len(text) - len(text.lstrip(_OPENING))
    for match in _NAME.finditer(text):
        start, name = match.start(), match.group()
        if start <= opening:
            first, _, rest = name.partition(" ")
            is_small = first.lower() in small
            if not rest and (is_small or first not in inside):
                continue
            if rest and is_small:
                start, name = start + len(first) + 1, rest
        yield Name(name, start, match.end())


def with_blanks(text: str, names: Sequence[Name], name: str, blank: str) -> str:
    """Return a text with a blank in place of each mention of a name, because a second mention would give it away.

    Args:
        text: The text.
        names: The names in it, in their order.
        name: The text of the name.
        blank: What stands in its place.
    """
    mentions = [n for n in names if n.text == name and n.end <= len(text)]
    starts = [0, *(n.end for n in mentions)]
    ends = [*(n.start for n in mentions), len(text)]
    return blank.join(text[start:end] for start, end in zip(starts, ends, strict=True))


def words_beside(text: str, name: Name) -> int:
    """Count the words of a text beside a name."""
    return len(WORD.findall(text)) - len(WORD.findall(name.text))
