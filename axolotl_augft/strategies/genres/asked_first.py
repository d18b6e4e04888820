"""What the teacher is asked for before it writes about a document -> the lines that its next requests show.

A teacher's own words then stand in its prompts, so only lines of the form that was asked for are taken, and none that
reads as an instruction to a model.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from axolotl_augft.strategies.genres.genre import Genre
from axolotl_augft.text.directives import without_directives
from axolotl_augft.text.sentences import split_sentences

_LONGEST = 300
# What stands before the first letter is taken whole: to try each part of it would take hours for a line of digits.
_QUESTION = re.compile(r"[\W\d_]*+(?P<asked>\w.*[?？؟])\W*")
_PROPOSAL = re.compile(r"[\W\d_]*+(?P<proposed>\w.*)")
_BOLD = re.compile(r"\*\*|__")
_OPENING = "Write"


@dataclass(frozen=True, slots=True)
class AskedFirst:
    """Lines that the teacher is asked for about each document before it writes.

    Attributes:
        setting: The key of the strategy's entry that asks for them, with their number.
        variable: The template's variable that shows them.
        genre: What the teacher is told to write.
        number: Most lines about a document.
        candidates: Returns the lines of an answer in a language that have the form that was asked for.
    """

    setting: str
    variable: str
    genre: Genre
    number: int
    candidates: Callable[[str, str], Iterator[str]]

    def read(self, text: str, language: str) -> tuple[str, ...]:
        """Read the lines that a teacher wrote, each once.

        Args:
            text: The teacher's answer.
            language: ISO 639 code for sentence splitting.
        """
        fit = (line for line in self.candidates(text, language) if without_directives(line, language) == line)
        return tuple(dict.fromkeys(fit))[: self.number]


def questions_first(number: int) -> AskedFirst:
    """Ask for questions about the document, which its texts then answer."""
    told = (
        f"Write {number} questions, each about another fact, that a reader of the document should be able to answer. "
        "Write each on a line of its own that ends with a question mark, and write no answers."
    )
    return AskedFirst("questions", "questions", Genre("questions", told), number, _questions)


def proposals_first(number: int) -> AskedFirst:
    """Ask for kinds of text that fit the document, which are then written (as in Active Reading, arXiv 2508.09494)."""
    told = (
        f"Propose {number} pieces of writing, each of another kind, by which a reader would learn best what just this "
        f'document says. Describe each in one sentence on a line of its own that begins with "{_OPENING}" and names '
        "the kind of text and what it is about, and write none of them."
    )
    return AskedFirst("proposed", "proposal", Genre("proposals", told), number, _proposals)


def _questions(text: str, language: str) -> Iterator[str]:
    sentences = _sentences(text, language)
    return (match["asked"] for sentence in sentences if (match := _QUESTION.fullmatch(sentence)))


def _proposals(text: str, language: str) -> Iterator[str]:
    """Return the sentences that begin as they were asked for, or all if none does: some teachers write no English.

    So neither what a chat model says before its proposals nor what it adds to one of them is a proposal.
    """
    sentences = _sentences(_BOLD.sub("", text), language)
    said = (match["proposed"].strip() for sentence in sentences if (match := _PROPOSAL.fullmatch(sentence)))
    proposed = [line for line in said if line[-1] not in ":：?？؟"]
    return iter([line for line in proposed if line.startswith(_OPENING)] or proposed)


def _sentences(text: str, language: str) -> Iterator[str]:
    """Return the sentences that are not too long; small teachers write all of them on one line."""
    found = (sentence for line in text.splitlines() for sentence in split_sentences(line, language))
    return (sentence for sentence in found if len(sentence) <= _LONGEST)
