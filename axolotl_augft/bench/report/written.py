"""What a student wrote in answer to a question -> how it compares with the right answer, by SQuAD's measures.

Exact match and F1 over words are those of Rajpurkar et al. 2016 (arXiv 1606.05250, section 6.1): without capitals,
punctuation and the English articles.
"""

import re
from collections import Counter
from dataclasses import dataclass

_PUNCTUATION = re.compile(r"[^\w\s]")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


@dataclass(frozen=True, slots=True)
class Written:
    """A student's own answer to a question.

    Attributes:
        text: The answer, without what follows its first line.
        exact: Whether its words are those of the right answer.
        f1: Harmonic mean of the shares of its words and of the right answer's words that are in both.
        contains: Whether the words of the right answer stand in it in a row.
    """

    text: str
    exact: bool
    f1: float
    contains: bool


def compared(text: str, answer: str) -> Written:
    """Compare a student's answer with the right one."""
    said, right = _words(text), _words(answer)
    shared = sum((Counter(said) & Counter(right)).values())
    f1 = 2 * shared / (len(said) + len(right)) if shared else 0.0
    contains = f" {' '.join(right)} " in f" {' '.join(said)} "
    return Written(text.strip(), said == right, f1, contains)


def _words(text: str) -> list[str]:
    return _ARTICLES.sub(" ", _PUNCTUATION.sub("", text.casefold())).split() or text.split()
