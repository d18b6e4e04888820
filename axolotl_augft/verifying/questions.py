"""A statement -> the questions that a verifier is asked about it, each answered by yes or no.

The texts that a statement must follow from stand in the prefix, so that a server with a prefix cache reads them once
for all statements about them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

from axolotl_augft.strategies.templates import load_prompt
from axolotl_augft.teacher.entailment.pair import closed, opened
from axolotl_augft.teacher.request import Prefix

FOLLOWS = {"premises": "the texts it must follow from", "statement": "the statement"}
ALONE = {"statement": "the statement"}
COMPATIBLE = {"first": "a sentence", "second": "another sentence"}
_CACHED_PREFIXES = 1024


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt that is answered by yes or no: the part that other questions share, and the rest."""

    prefix: Prefix
    target: str


class Questions:
    """Words the questions for a model that answers prompts.

    Args:
        api: The kind of endpoint that the model is asked through.
    """

    def __init__(self, api: Literal["chat", "completions"]) -> None:
        self._follows = load_prompt(f"verify.{api}.jinja", None, FOLLOWS)
        self._alone = load_prompt(f"alone.{api}.jinja", None, ALONE)
        self._compatible = load_prompt(f"compatible.{api}.jinja", None, COMPATIBLE)
        self._premised = lru_cache(_CACHED_PREFIXES)(self._make_premised)

    def follows(self, premises: Sequence[str], statement: str) -> Question:
        """Ask whether a statement must be true if its premises are."""
        return Question(self._premised(tuple(premises)), self._follows.render("target", statement=statement))

    def alone(self, statement: str) -> Question:
        """Ask whether a statement can be understood without its source."""
        return Question(self._unpremised, self._alone.render("target", statement=statement))

    def compatible(self, first: str, second: str) -> Question:
        """Ask whether two sentences can both be true: asked the other way round, small models answer the wrong way."""
        prefix = Prefix(self._compatible.render("system"), self._compatible.render("prefix", first=first))
        return Question(prefix, self._compatible.render("target", second=second))

    def _make_premised(self, premises: tuple[str, ...]) -> Prefix:
        return Prefix(self._follows.render("system"), self._follows.render("prefix", premises=premises))

    @cached_property
    def _unpremised(self) -> Prefix:
        return Prefix(self._alone.render("system"), self._alone.render("prefix"))


class EntailmentPairs:
    """Puts a statement and its premises into the form that an entailment server reads: a JSON object.

    Whether a statement can be understood alone is nothing that such a model can tell.
    """

    def follows(self, premises: Sequence[str], statement: str) -> Question:
        """Ask whether a statement must be true if its premises are."""
        return Question(self._opened(tuple(premises)), closed(statement))

    @cached_property
    def _opened(self) -> Callable[[tuple[str, ...]], Prefix]:
        return lru_cache(_CACHED_PREFIXES)(lambda premises: Prefix("", opened("\n".join(premises))))
