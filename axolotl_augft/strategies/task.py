"""Documents -> tasks: a task is a request plus what is needed to turn its answer into inferences."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from axolotl_augft.config.strategy_settings import AskingSettings, StrategySettings
from axolotl_augft.formats import Writes
from axolotl_augft.formats.content import Exchange
from axolotl_augft.sources.documents import Document, Place
from axolotl_augft.strategies.instructions import Instructions
from axolotl_augft.teacher.request import Prefix, Request, Sampling

NO_REQUEST = Request("", "completions", Prefix("", ""), "", Sampling(0, None, 1, (), 0), 0)
"""Stands in the tasks of a strategy that asks nobody: the only request to a teacher without an id."""

Missed = Mapping[Place, tuple[int, ...]]
"""For each document, the positions of the sentences that nothing kept is about, from 0."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read the answers to a task.

    Attributes:
        ends_in_conclusions: The answer is a reasoning trace followed by conclusions under a heading, instead of one
            statement per line.
        keep: Which parts of such an answer become inferences.
        keep_reasoning: A reasoning model's own reasoning becomes a trace as well.
        rephrases_the_source: A rephrased question is the target's own question in other words, and therefore keeps
            the target's answer.
        short_answers: Questions get answers of a few words.
        labels_details: A line may be labelled as a question about a detail; in other answers it begins with that word.
        is_one_text: The answer is one text; its sentences are judged one by one.
    """

    ends_in_conclusions: bool = False
    keep: Literal["trace", "conclusions", "both"] = "both"
    keep_reasoning: bool = False
    rephrases_the_source: bool = False
    short_answers: bool = False
    labels_details: bool = False
    is_one_text: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """A request and the context in which its answer is read.

    Attributes:
        request: The request to the teacher.
        strategy: Name of the strategy that made the task; goes into the provenance columns only.
        target: The document that the request is about.
        premises: The texts that a statement must follow from.
        sentences: The numbered sentences of a local request; empty for a global one.
        first_sentence: Position of the first of these sentences in the target, from 0.
        labels: Ids of the documents that are shown in the prompt, in the order of the premises; () if none are.
        kind: The kind of a statement that does not name its own.
        writes: Whether the request asks for statements or for questions with answers.
        reading: How to read the answer.
        instructions: What the instructions of the request's prompt say.
        context: The text that the premises were taken from, against which a statement is verified; () if they are all.
        question_form: The text that a question about plain text and its answer become; None for a chat row.
        is_first: The answer tells what other tasks are about, and becomes no statement.
        written: Statements that the strategy itself made of the premises; () if the request asks for them.
    """

    request: Request
    strategy: str
    target: Document
    premises: tuple[str, ...]
    sentences: tuple[str, ...] = ()
    first_sentence: int = 0
    labels: tuple[str, ...] = ()
    kind: str = "statement"
    writes: Writes = "statements"
    reading: Reading = Reading()
    instructions: Instructions = Instructions()
    context: tuple[str, ...] = ()
    question_form: str | None = None
    written: tuple[str, ...] = ()
    is_first: bool = False

    @property
    def is_asked(self) -> bool:
        """Whether the request is sent; otherwise the statements are written already."""
        return bool(self.request.teacher_id)

    @property
    def evidence(self) -> tuple[str, ...]:
        """The texts that a verifier compares a statement with."""
        return self.context or self.premises

    @property
    def exchange(self) -> Exchange | None:
        """The target's question and answer, None for plain text."""
        return self.target.exchange


class Knowledge(Protocol):
    """What the student knows before it is trained."""

    def covers(self, task: Task) -> bool:
        """Whether the student knows all that a task is about, so that the teacher is not asked."""


class Unit(Protocol):
    """What the requests of one task are about, such as a few sentences or an exchange."""

    @property
    def digest(self) -> bytes:
        """SHA-256 of everything the requests are about: equal units make equal requests."""


class Strategy(Protocol):
    """One `augment` entry: everything that is specific to a way of augmenting documents.

    A further strategy needs a settings model in `config.augment`, a class with these members, and a case in
    `strategies.make`, which selects the class by its settings. No other module distinguishes strategies.
    """

    @property
    def settings(self) -> StrategySettings:
        """The settings of the entry."""

    def tasks(self) -> Iterator[Task]:
        """Yield the tasks of all documents, in document order."""

    def in_sending_order(self) -> Iterator[Task]:
        """Yield those of them whose request is sent, with requests that share a prefix next to each other."""

    def scope(self, units: int) -> str:
        """Describe in a few words, for the plan, what the requests are about, or what is written without any.

        Args:
            units: Number of units that the requests are about.
        """

    def warnings(self) -> Iterator[str]:
        """Yield what a user should know before any request is sent, one line each."""


@runtime_checkable
class AsksAgain(Strategy, Protocol):
    """A strategy that can ask about a single sentence once more, in another way."""

    def again(self, missed: Missed) -> Iterator[Task]:
        """Yield tasks about the sentences that were missed, in document order."""


@runtime_checkable
class AsksFirst(Strategy, Protocol):
    """A strategy whose requests depend on what the teacher answers to other requests."""

    def first_tasks(self) -> Iterator[Task]:
        """Yield the tasks that must be answered before the others are known; their answers become no statements."""

    def unusable(self, first: Iterable[Task]) -> Counter[str]:
        """Count what the stored answers to some of these tasks lack of what was asked for, by what it is."""


@runtime_checkable
class Windowed(Strategy, Protocol):
    """A strategy that can lay out some of its requests without the others.

    `axolotl augft plan` estimates large data sets from a sample of windows.
    """

    @property
    def settings(self) -> AskingSettings:
        """The settings of the entry."""

    def windows(self) -> Iterator[Sequence[Any]]:
        """Yield the units (`Unit`) in windows; requests share prefixes within a window only."""

    def lay_out(self, units: Sequence[Any]) -> Sequence[Task]:
        """Return the tasks of all or some units of a window, in sending order."""
