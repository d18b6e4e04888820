"""Text -> sentences, and a document's sentences -> one training row each (sentence splitting in the paper)."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import sentencex

# sentencex takes quadratic time where quotation marks or brackets stay open, so it never sees more than this many
# characters at once. A longer stretch without a sentence end is no sentence, and is cut.
_LONGEST = 4000
# Characters before the end of such a window in which a sentence end is not believed: what follows might change it.
_MARGIN = 1000
_PARAGRAPHS = re.compile(r"\n\r*\n")


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment of an `input_output` row; the student is trained on it only if `label` is True."""

    text: str
    label: bool


def split_sentences(text: str, language: str = "en") -> list[str]:
    """Split a text into sentences, each without surrounding white space, in time linear in its length.

    More than 4,000 characters without a sentence end (a log, a table, a list of numbers) are cut at a line break, else
    at white space, else anywhere.

    Args:
        text: Plain text of any length.
        language: ISO 639 code; sentencex falls back to a related language, then to the rules for English.
    """
    return [
        sentence
        for paragraph in _PARAGRAPHS.split(text)
        for part in _parts(paragraph, language)
        if (sentence := part.strip())
    ]


def _parts(paragraph: str, language: str) -> Iterator[str]:
    start = 0
    for part in _marked_parts(_without_inch_marks(paragraph), language):
        yield paragraph[start : start + len(part)]
        start += len(part)


def _marked_parts(paragraph: str, language: str) -> Iterator[str]:
    start = 0
    while len(paragraph) - start > _LONGEST:
        window = paragraph[start : start + _LONGEST]
        for part in _certain(list(sentencex.segment(language, window))) or [window[: _cut(window)]]:
            yield part
            start += len(part)
    yield from sentencex.segment(language, paragraph[start:])


def _without_inch_marks(text: str) -> str:
    """Replace each `"` after a digit that closes no quotation by a sign that opens none."""
    quoted = False

    def sign(mark: re.Match[str]) -> str:
        nonlocal quoted
        if not quoted and text[mark.start() - 1 : mark.start()].isdigit():
            return "″"
        quoted = not quoted
        return '"'

    return re.sub('"', sign, text)


def _certain(parts: list[str]) -> list[str]:
    """Return the sentences of a window that end before its margin."""
    end, certain = 0, list[str]()
    for part in parts[:-1]:
        end += len(part)
        if end > _LONGEST - _MARGIN and certain:
            break
        certain.append(part)
    return certain


def _cut(window: str) -> int:
    """Return where to cut a window without a sentence end: after a line break or white space in its second half."""
    for mark in ("\n", " ", "\t"):
        place = window.rfind(mark, len(window) // 2)
        if place >= 0:
            return place + 1
    return len(window)


def split_at_sentences(text: str, limit: int, count: Callable[[str], int], language: str = "en") -> list[str]:
    """Cut a text at sentence ends into parts of at most `limit` tokens, as measured by `count`.

    A sentence above the limit stays whole, because half a sentence is not a usable premise.
    """
    if count(text) <= limit:
        return [text]
    parts: list[list[str]] = [[]]
    room = limit
    for sentence in split_sentences(text, language):
        size = count(sentence)
        if size > room and parts[-1]:
            parts.append([])
            room = limit
        parts[-1].append(sentence)
        room -= size
    return [" ".join(part) for part in parts if part]


def cumulative_rows(
    sentences: Sequence[str], bos: str, eos: str, fits: Callable[[str], bool] = lambda text: True
) -> Iterator[list[Segment]]:
    """Yield one row per sentence: the preceding sentences as untrained context, then the sentence itself.

    `input_output` adds no special tokens, so they are added here, where `completion` would put them around a document.

    Args:
        sentences: The sentences of one document, in order.
        bos: The student's beginning-of-text token, "" if it has none.
        eos: The student's end-of-text token.
        fits: Tells whether a row's text fits into the student's sequence length. The earliest context sentences are
            dropped until it does, because axolotl drops an `input_output` row that is too long.
    """
    first = 0
    for i, sentence in enumerate(sentences):
        while first < i and not fits(f"{bos}{' '.join(sentences[first : i + 1])}{eos}"):
            first += 1
        if i == first:
            yield [Segment(bos, False), Segment(sentence + eos, True)] if bos else [Segment(sentence + eos, True)]
        else:
            yield [Segment(bos + " ".join(sentences[first:i]), False), Segment(" " + sentence + eos, True)]
