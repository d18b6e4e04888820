"""Text -> sentences, and documents -> training rows of one sentence each (paper, sentence splitting)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import sentencex


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of an `input_output` row; `label` says whether the student is trained on it."""

    text: str
    label: bool


def split_sentences(text: str, language: str = "en") -> list[str]:
    """The sentences of a text, without surrounding white space, in order.

    Args:
        text: Plain text of any length.
        language: ISO 639 code; sentencex falls back to a related language, then to English rules.
    """
    return [s for part in sentencex.segment(language, text) if (s := part.strip())]


def split_at_sentences(text: str, limit: int, count: Callable[[str], int], language: str = "en") -> list[str]:
    """Cuts a text at sentence ends into parts of at most `limit` tokens.

    A single sentence above the limit stays whole: half a sentence is no premise.
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
    """One row a sentence: all preceding sentences as context without a label, then the sentence.

    `input_output` adds no special tokens, so they are put here, as `completion` puts them around a document.

    Args:
        sentences: A document's sentences, in order.
        bos: The student's beginning-of-text token, "" if it has none.
        eos: The student's end-of-text token.
        fits: Whether a row's text fits into the student's sequence; the earliest sentences of a longer context are left
            out, because axolotl drops an `input_output` row that does not fit.
    """
    first = 0
    for i, sentence in enumerate(sentences):
        while first < i and not fits(f"{bos}{' '.join(sentences[first : i + 1])}{eos}"):
            first += 1
        if i == first:
            yield [Segment(bos, False), Segment(sentence + eos, True)] if bos else [Segment(sentence + eos, True)]
        else:
            yield [Segment(bos + " ".join(sentences[first:i]), False), Segment(" " + sentence + eos, True)]
