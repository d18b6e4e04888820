"""Sentences -> questions that a student is asked about them; its answers -> whether they are right.

A question is a sentence with a blank in place of a name or number, so no model is needed to make it, and nobody guesses
the answer: what belongs there is told by knowing it. All of a sentence's names are asked for in turn, because a student
that can say who wrote a book may not be able to say what that person wrote.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from axolotl_augft.strategies.templates import load_prompt
from axolotl_augft.teacher.request import Prefix
from axolotl_augft.text.names import Capitals, with_blanks, words_beside
from axolotl_augft.text.words import says

VARIABLES = {"sentence": "a sentence with a blank"}
_BLANK = "___"
_FEWEST_WORDS = 3
"""Words of a sentence beside the name; a heading or a list item has too few to tell the name by."""


@dataclass(frozen=True, slots=True)
class Question:
    """A sentence with a blank in place of a name, and that name."""

    sentence: str
    name: str


class Questions:
    """Makes questions about sentences.

    Args:
        sentences: All sentences, by which names are told from words that begin a sentence.
        most: Most questions about one sentence.
    """

    def __init__(self, sentences: Iterable[str], most: int) -> None:
        self._most = most
        self._capitals = Capitals()
        for sentence in sentences:
            self._capitals.add(sentence)

    def about(self, sentence: str) -> list[Question]:
        """Return the questions about a sentence, in the order of its names; [] if nothing in it can be asked for.

        Of more names than may be asked for, some are taken that stand evenly apart.
        """
        names = self._capitals.names(sentence)
        asked = dict.fromkeys(name.text for name in names if words_beside(sentence, name) >= _FEWEST_WORDS)
        found = [Question(with_blanks(sentence, names, name, _BLANK), name) for name in asked]
        fair = [question for question in found if not says(question.sentence, question.name)]
        return [fair[i * len(fair) // self._most] for i in range(self._most)] if len(fair) > self._most else fair


def is_right(question: Question, answer: str) -> bool:
    """Tell whether an answer names what belongs into the blank: in its first line, word for word."""
    lines = (line for line in answer.splitlines() if line.strip())
    return says(next(lines, ""), question.name)


class Wording:
    """Puts questions into prompts.

    Args:
        api: The kind of endpoint that the student is asked through.
    """

    def __init__(self, api: Literal["chat", "completions"]) -> None:
        self._template = load_prompt(f"probe.{api}.jinja", None, VARIABLES)
        self.prefix = Prefix(self._template.render("system"), self._template.render("prefix"))

    def target(self, question: Question) -> str:
        """Return the part of a question's prompt that others do not share."""
        return self._template.render("target", sentence=question.sentence)
