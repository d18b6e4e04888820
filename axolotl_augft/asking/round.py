"""One round of requests -> its counts: what its requests have in common, and what became of them."""

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
        failed_tries: Failed tries, by reason, whether or not a later try succeeded.
        remarks: Answers that reached `max_tokens` (`cut`), are empty (`empty`), or came with reasoning
            (`with reasoning`).
        spent: Tokens and dollars of the answers.
        seconds: Duration of the round.
    """

    answered: int = 0
    filtered: int = 0
    invalid: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    failed_tries: Counter[str] = field(default_factory=Counter)
    remarks: Counter[str] = field(default_factory=Counter)
    spent: Spent = field(default_factory=Spent)
    seconds: float = 0.0

    @property
    def total(self) -> int:
        """Number of requests that have ended, however often each was sent."""
        return self.answered + self.filtered + self.invalid + self.failed.total()

    def add(self, answer: Answer) -> None:
        """Count a final answer."""
        self.answered += answer.outcome is Outcome.ANSWERED
        self.filtered += answer.outcome is Outcome.FILTERED
        self.invalid += answer.outcome is Outcome.INVALID
        self.remarks.update(answer.remarks)
        self.spent.add(answer)

    def __add__(self, other: "RoundCounts") -> "RoundCounts":
        return RoundCounts(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})


class Watcher(Protocol):
    """Follows the progress of a round."""

    def update(self, counts: RoundCounts) -> None:
        """Take note of the current counts; called as requests end, whether answered or failed."""


@dataclass(frozen=True)
class Round:
    """What all requests of a round have in common.

    Attributes:
        server: The server to send to.
        store: The response store that answers are looked up in and written to.
        pace: Concurrency and retries.
        watcher: Follows the progress.
        trusted: The server is known to accept such requests (see `EarlyInvalid`).
        budget: Admits each try and prices each answer.
        counts: Updated during the round, so that the caller can read them even if the round fails.
    """

    server: Server
    store: ResponseStore
    pace: Pace
    watcher: Watcher
    trusted: bool = False
    budget: Budget = field(default_factory=Budget.unlimited)
    counts: RoundCounts = field(default_factory=RoundCounts)


class EarlyInvalid:
    """Holds back `INVALID` answers until the server has accepted a request.

    Until then, the fault may lie in the settings that all requests share, and the answers must not be stored as final.

    Args:
        trusted: The server is known to accept such requests, so that nothing is held back.
    """

    def __init__(self, trusted: bool) -> None:
        self._trusted = trusted
        self._held: list[tuple[Request, Answer]] = []

    def __len__(self) -> int:
        """The number of answers held back."""
        return len(self._held)

    @property
    def keys(self) -> set[bytes]:
        """The keys of the requests whose answers are held back."""
        return {request.key for request, _ in self._held}

    def admit(self, request: Request, answer: Answer) -> list[tuple[Request, Answer]]:
        """Return the answers that may be stored now.

        That is nothing for an answer that is held back; else this answer, preceded by all that were held back.
        """
        if answer.outcome is Outcome.INVALID and not self._trusted:
            self._held.append((request, answer))
            return []
        self._trusted = True
        admitted, self._held = [*self._held, (request, answer)], []
        return admitted

    def error(self) -> TeacherError:
        """Make the error for a server that called every request invalid; at least one answer must be held back."""
        return TeacherError(
            f"the teacher's server calls the first {len(self._held)} requests invalid and answered none "
            f"({self._held[0][1].finish_reason}); check augft.teacher (api, structured_output, extra_body, max_tokens) "
            "against what the server accepts"
        )
