"""What held-out rows say -> which augmentations state it: they would be trained on the test's answers (`leak`).

Held-out rows never reach the teacher, but the training rows may imply them, and then it writes them down.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from axolotl_augft.contents import Content, Exchange, Text
from axolotl_augft.splitting import split_sentences

_WORD = re.compile(r"\w+")
_LONG = 5
_SHARE_OF_QUESTION = 0.8
_STOP_WORDS = frozenset(
    "a an and are as at be by can did do does for from give had has have how i in is it its list many me much name of on or tell that the "
    "their there this to was were what when where which who whom whose why will with would you your".split()
)


class Leaks:
    """Finds the answers of held-out rows in augmentations.

    An answer of five words or more, or a sentence of a held-out text of that length, is found wherever it stands word for word. A shorter
    one ("yes", "1901") says nothing by itself: it is a leak where the words of its question stand beside it.

    Args:
        held_out: What the held-out and test rows hold.
        language: ISO 639 code for sentence splitting.
    """

    def __init__(self, held_out: Iterable[Content], language: str = "en") -> None:
        self._long: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
        self._short: dict[tuple[str, ...], set[frozenset[str]]] = {}
        for content in held_out:
            if isinstance(content, Text):
                for sentence in split_sentences(content.text, language):
                    self._add(_words(sentence), frozenset())
            elif isinstance(content, Exchange):
                self._add(_words(content.answer), frozenset(_words(content.question)) - _STOP_WORDS)

    def states(self, text: str) -> bool:
        """Whether a text states a held-out answer word for word."""
        if not self._long and not self._short:
            return False
        words = _words(text)
        return self._states_long(words) or self._states_short(words)

    def _add(self, words: tuple[str, ...], question: frozenset[str]) -> None:
        if len(words) >= _LONG:
            self._long.setdefault(words[:_LONG], set()).add(words)
        elif words and question:
            self._short.setdefault(words, set()).add(question)

    def _states_long(self, words: Sequence[str]) -> bool:
        for i in range(len(words) - _LONG + 1):
            for answer in self._long.get(tuple(words[i : i + _LONG]), ()):
                if tuple(words[i : i + len(answer)]) == answer:
                    return True
        return False

    def _states_short(self, words: Sequence[str]) -> bool:
        if not self._short:
            return False
        said = set(words)
        questions = (asked for answer in _short_runs(words) for asked in self._short.get(answer, ()))
        return any(len(asked & said) >= _SHARE_OF_QUESTION * len(asked) for asked in questions)


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.casefold()))


def _short_runs(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """All runs of fewer words than a long answer has."""
    for length in range(1, _LONG):
        for i in range(len(words) - length + 1):
            yield tuple(words[i : i + length])
