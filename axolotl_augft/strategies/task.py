"""A task: a request, with what is needed to turn its answer into inferences."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from axolotl_augft.formats import Writes
from axolotl_augft.formats.content import Exchange
from axolotl_augft.sources.documents import Document
from axolotl_augft.teacher.request import Request


@dataclass(frozen=True, slots=True)
class Task:
    """A request and its bearings.

    `sentences`: the numbered sentences of a local request, the first of them sentence `first_sentence` of the target (from 0); empty for a
    global request. `premises`: the texts that a statement must follow from. `labels`: document ids shown in the prompt.
    `kind`: what a line without a label of its own is. `writes`: what is asked for.
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

    @property
    def exchange(self) -> Exchange | None:
        """The question and answer that the target holds, if it is no plain text."""
        return self.target.exchange


class Strategy(Protocol):
    """One `augment` entry: what is asked about the documents.

    `in_sending_order` puts tasks with equal prefixes side by side; `tasks` gives them in document order, for writing.
    """

    def tasks(self) -> Iterator[Task]:
        """The tasks of all documents, document by document, in document order."""

    def in_sending_order(self) -> Iterator[Task]:
        """The same tasks, ordered so that requests with the same prefix follow each other."""
