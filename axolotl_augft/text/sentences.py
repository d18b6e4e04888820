"""Text -> sentences, and a document's sentences -> one training row each (sentence splitting in the paper)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import sentencex


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment of an `input_output` row; the student is trained on it only if `label` is True."""

    text: str
    label: bool


def split_sentences(text: str, language: str = "en") -> list[str]:
    """Split a text into sentences, each without surrounding white space.

    Args:
        text: Plain text of any length.
        language: ISO 639 code; sentencex falls back to a related language, then to the rules for English.
    """
    return [s for part in sentencex.segment(language, text) if (s := part.strip())]


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
