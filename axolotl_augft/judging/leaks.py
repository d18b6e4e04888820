"""Inferences and held-out rows -> which inferences state a held-out answer (reason `leak`).

Held-out rows never reach the teacher model, but training rows may imply what they say, and the teacher then writes it
down. Training on such an inference would mean training on the answers of the test.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from axolotl_augft.formats.content import Content, Exchange, Text
from axolotl_augft.judging.read_statements import Inference
from axolotl_augft.text.sentences import split_sentences
from axolotl_augft.text.words import matched_words, word_size

_LONG = 5
_SHARE_OF_QUESTION = 0.8
_COMMON = 3
_STOP_WORDS = frozenset(
    "a an and are as at be by can did do does for from give had has have how i in is it its list many me much name of "
    "on or tell that the their there this to was were what when where which who whom whose why will with would you "
    "your".split()
)
_Words = tuple[str, ...]


class Leaks:
    """Finds the answers of held-out rows in inferences.

    An answer of at least five words, or a sentence of that length in a held-out text, is a leak wherever it appears
    word for word. A shorter answer ("yes", "1901") says nothing by itself: it is a leak only together with at least
    80 % of the words of its question, not counting words that many held-out questions share.

    Args:
        held_out: The content of the held-out and test rows.
        language: ISO 639 code for sentence splitting.
    """

    def __init__(self, held_out: Iterable[Content], language: str = "en") -> None:
        self._long: dict[_Words, set[_Words]] = {}
        short: list[tuple[_Words, frozenset[str]]] = []
        for content in held_out:
            for answer, question in _answers(content, language):
                if _size(answer) >= _LONG:
                    self._long.setdefault(answer[:_LONG], set()).add(answer)
                elif answer:
                    short.append((answer, question))
        self._short = _by_rarest_word(short)

    def states(self, inference: Inference) -> bool:
        """Whether an inference states a held-out answer word for word.

        Long answers are not looked for in an answer that is the source row's own.
        """
        if not self._long and not self._short:
            return False
        asked = matched_words(inference.question or "")
        said = () if inference.keeps_answer else matched_words(inference.text)
        return (
            self._states_long(said)
            or self._states_long(asked)
            or self._states_short(asked, matched_words(inference.text))
        )

    def _states_long(self, words: _Words) -> bool:
        for i in range(len(words) - _LONG + 1):
            for answer in self._long.get(words[i : i + _LONG], ()):
                if words[i : i + len(answer)] == answer:
                    return True
        return False

    def _states_short(self, asked: _Words, said: _Words) -> bool:
        if not self._short:
            return False
        words = {*asked, *said}
        answers = (found for run in _short_runs(said) if (found := self._short.get(run)))
        questions = (question for by_word in answers for word in words & by_word.keys() for question in by_word[word])
        return any(len(question & words) >= _SHARE_OF_QUESTION * len(question) for question in questions)


def _answers(content: Content, language: str) -> Iterator[tuple[_Words, frozenset[str]]]:
    """Yield the answers that a held-out row gives, each with the words of its question."""
    if isinstance(content, Text):
        yield from ((matched_words(sentence), frozenset()) for sentence in split_sentences(content.text, language))
    elif isinstance(content, Exchange):
        about = " ".join(turn.text for turn in content.before if turn.role == "input")
        yield matched_words(content.answer), frozenset(matched_words(f"{content.question} {about}")) - _STOP_WORDS
        # A conversation is scored on all of its answers.
        yield from (
            (answer, frozenset())
            for t in content.before
            if t.role == "assistant" and _size(answer := matched_words(t.text)) >= _LONG
        )


def _by_rarest_word(short: Sequence[tuple[_Words, frozenset[str]]]) -> dict[_Words, dict[str, list[frozenset[str]]]]:
    """Index short answers by their words, and the questions of each answer by their rarest word.

    Words that many questions share are left out, and so are questions without any other word.
    """
    often = Counter(word for _, question in short for word in question)
    found: dict[_Words, dict[str, list[frozenset[str]]]] = {}
    for answer, question in dict.fromkeys(short):
        telling = frozenset(word for word in question if often[word] <= max(_COMMON, len(short) // 20))
        if telling:
            found.setdefault(answer, {}).setdefault(min(telling, key=lambda w: (often[w], w)), []).append(telling)
    return found


def _size(words: _Words) -> float:
    return sum(map(word_size, words))


def _short_runs(words: _Words) -> Iterator[_Words]:
    """Yield all runs of words that are short enough to be a short answer."""
    for length in range(1, 2 * _LONG):
        for i in range(len(words) - length + 1):
            run = words[i : i + length]
            if _size(run) < _LONG:
                yield run
