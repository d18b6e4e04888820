"""One round of requests: where they go, and who keeps, counts and shows what comes back."""

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import Protocol

from axolotl_augft.asking.budget import Budget
from axolotl_augft.asking.pacing import Pace
from axolotl_augft.errors import TeacherError
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.teacher.answer import Answer, Outcome
from axolotl_augft.teacher.client import Server
from axolotl_augft.teacher.request import Request
from axolotl_augft.teacher.spending import Spent


@dataclass
class RoundCounts:
    """What became of the requests of a round.

    Attributes:
        answered: Requests with an answer.
        filtered: Requests that a content filter refused.
        invalid: Requests that the server called invalid.
        failed: Requests without an answer after all tries, by reason.
        passing: Tries that failed, by reason, whatever came later.
        remarks: Answers that ended at `max_tokens` (`cut`), hold nothing (`empty`), or came with reasoning.
        spent: What the answers cost.
        seconds: How long the round took.
    """

    answered: int = 0
    filtered: int = 0
    invalid: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    passing: Counter[str] = field(default_factory=Counter)
    remarks: Counter[str] = field(default_factory=Counter)
    spent: Spent = field(default_factory=Spent)
    seconds: float = 0.0

    @property
    def total(self) -> int:
        """Requests that were sent, each once."""
        return self.answered + self.filtered + self.invalid + self.failed.total()

    def add(self, answer: Answer) -> None:
        """Counts a final answer."""
        self.answered += answer.outcome is Outcome.ANSWERED
        self.filtered += answer.outcome is Outcome.FILTERED
        self.invalid += answer.outcome is Outcome.INVALID
        self.remarks.update(answer.remarks)
        self.spent.add(answer)

    def __add__(self, other: "RoundCounts") -> "RoundCounts":
        return RoundCounts(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})


class Watcher(Protocol):
    """Is told how a round goes."""

    def update(self, counts: RoundCounts) -> None:
        """Called after each request that ended, one way or the other."""


@dataclass(frozen=True)
class Round:
    """What all requests of a round have in common.

    Attributes:
        server: The server to ask.
        store: Where answers are looked up and kept.
        pace: How many requests at a time, and how often again.
        watcher: Is told how it goes.
        trusted: Whether the server is known to accept such requests (see `EarlyInvalid`).
        budget: Is asked before each try, and gives each answer its price.
        counts: Where to count; the caller's to read, of a round that failed, too.
    """

    server: Server
    store: ResponseStore
    pace: Pace
    watcher: Watcher
    trusted: bool = False
    budget: Budget = field(default_factory=Budget.unlimited)
    counts: RoundCounts = field(default_factory=RoundCounts)


class EarlyInvalid:
    """Holds answers that call a request invalid back until the server has accepted one: before that, the fault may lie with all requests.

    Args:
        trusted: Whether the server is known to accept such requests.
    """

    def __init__(self, trusted: bool) -> None:
        self._trusted = trusted
        self._held: list[tuple[Request, Answer]] = []

    def __len__(self) -> int:
        """How many are held back."""
        return len(self._held)

    @property
    def keys(self) -> set[bytes]:
        """The keys of the requests whose answers are held back."""
        return {request.key for request, _ in self._held}

    def admit(self, request: Request, answer: Answer) -> list[tuple[Request, Answer]]:
        """What may be stored now: nothing, this answer, or with the first one that is not invalid all that was held back."""
        if answer.outcome is Outcome.INVALID and not self._trusted:
            self._held.append((request, answer))
            return []
        self._trusted = True
        admitted, self._held = [*self._held, (request, answer)], []
        return admitted

    def error(self) -> TeacherError:
        """What to say when all requests were called invalid; at least one is held back."""
        return TeacherError(
            f"the teacher's server calls the first {len(self._held)} requests invalid and answered none "
            f"({self._held[0][1].finish_reason}); "
            "check augft.teacher (api, structured_output, extra_body, max_tokens) against what the server accepts"
        )
