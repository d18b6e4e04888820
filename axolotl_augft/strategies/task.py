"""A task: a request, with what is needed to turn its answer into inferences."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from axolotl_augft.config.augment import Augment
from axolotl_augft.formats import Writes
from axolotl_augft.formats.content import Exchange
from axolotl_augft.sources.documents import Document
from axolotl_augft.teacher.request import Request


@dataclass(frozen=True, slots=True)
class Reading:
    """How the answers to a task become inferences.

    Attributes:
        ends_in_conclusions: Whether an answer is a reasoning trace with conclusions under a heading, instead of a
            statement a line.
        keep: Which parts of such an answer become inferences.
        keep_reasoning: Whether a reasoning model's own reasoning becomes a trace, too.
        rephrases_the_source: Whether a rephrasing is of the target's own question, so that it keeps the target's
    answer.
    """

    ends_in_conclusions: bool = False
    keep: Literal["trace", "conclusions", "both"] = "both"
    keep_reasoning: bool = False
    rephrases_the_source: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """A request and its bearings.

    `strategy`: the name of the strategy that made it, for the provenance columns; how an answer is read stands in
    `reading`. `sentences`: the numbered sentences of a local request, the first of them sentence `first_sentence` of
    the target (from 0); empty for a global request. `premises`: the texts that a statement must follow from. `labels`:
    document ids shown in the prompt. `kind`: what a line without a label of its own is. `writes`: what is asked for.
    """

    request: Request
    strategy: str
    target: Document
    premises: tuple[str, ...]
    sentences: tuple[str, ...] = ()
    first_sentence: int = 0
    labels: frozenset[str] = frozenset()
    kind: str = "statement"
    writes: Writes = "statements"
    reading: Reading = Reading()

    @property
    def exchange(self) -> Exchange | None:
        """The question and answer that the target holds, if it is no plain text."""
        return self.target.exchange


class Unit(Protocol):
    """What the requests of one task are about; `digest` is of everything that is asked about, so that equal units make equal requests."""

    @property
    def digest(self) -> bytes:
        """SHA-256."""


class Strategy(Protocol):
    """One `augment` entry: what is asked about the documents, and all that is special to it.

    A further strategy is a settings model in `config.augment` and a class with these members, which `strategies.make`
    tells apart by its settings. Nobody else asks which strategy it is.
    """

    @property
    def settings(self) -> Augment:
        """The entry."""

    def tasks(self) -> Iterator[Task]:
        """The tasks of all documents, document by document, in document order."""

    def in_sending_order(self) -> Iterator[Task]:
        """The same tasks, ordered so that requests with the same prefix follow each other."""

    def windows(self) -> Iterator[Sequence[Any]] | None:
        """Its units in windows that can be laid out one without the others, for a plan that samples; None where that cannot be."""

    def lay_out(self, units: Sequence[Any]) -> Sequence[Task]:
        """The tasks of a window's units, or of some of them, in sending order."""

    def scope(self, units: int) -> str:
        """What is asked about, in a few words for the plan. `units`: how many units the requests are about."""

    def warnings(self) -> Iterator[str]:
        """What a user should know before anything is asked, a line each."""
