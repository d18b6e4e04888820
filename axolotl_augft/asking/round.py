"""One round of requests -> its counts: what its requests have in common, and what became of them."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Protocol

from axolotl_augft.asking.budget import Budget
from axolotl_augft.asking.pacing.pace import Pace
from axolotl_augft.errors import TeacherError
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.teacher.answer import Answer, Failure, Outcome
from axolotl_augft.teacher.client import Server
from axolotl_augft.teacher.prompt_window import PromptWindow
from axolotl_augft.teacher.request import Request
from axolotl_augft.teacher.spending import Spent

_MOST_REFUSALS = 8
_NUMBERED = re.compile(r"\S*\d\S*")


@dataclass
class RoundCounts:
    """What became of the requests of a round.

    Attributes:
        answered: Requests with an answer.
        filtered: Requests that a content filter refused.
        invalid: Requests that the server called invalid.
        failed: Requests without an answer after all tries, by reason.
        failed_tries: Failed tries, by reason, whether or not a later try succeeded.
        said: What the server said at the last failed try, by reason, as far as it may be shown.
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
    said: dict[str, str] = field(default_factory=dict)
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

    def failed_try(self, failure: Failure) -> None:
        """Count a failed try."""
        self.failed_tries[failure.reason] += 1
        if failure.said:
            self.said[failure.reason] = failure.said

    def listed(self, reasons: Mapping[str, int]) -> str:
        """List numbers of failures by reason, the most frequent first, with the server's last words about each."""
        words = {reason: f" ({said})" for reason, said in self.said.items()}
        return ", ".join(f"{reason} {n}{words.get(reason, '')}" for reason, n in Counter(reasons).most_common())

    def __add__(self, other: "RoundCounts") -> "RoundCounts":
        names = [f.name for f in fields(self) if f.name != "said"]
        sums = {name: getattr(self, name) + getattr(other, name) for name in names}
        return RoundCounts(**sums, said=self.said | other.said)


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
        trusted: The server is known to accept such requests (see `Refusals`).
        budget: Admits each try and prices each answer.
        counts: Updated during the round, so that the caller can read them even if the round fails.
        prompts: Finds out whether the server cuts prompts; None if that cannot be known.
        again: The requests are those that failed earlier in the round, so several failures in a row say nothing new.
        further: Servers of the same model, which are asked beside `server`.
    """

    server: Server
    store: ResponseStore
    pace: Pace
    watcher: Watcher
    trusted: bool = False
    budget: Budget = field(default_factory=Budget.unlimited)
    counts: RoundCounts = field(default_factory=RoundCounts)
    prompts: PromptWindow | None = None
    again: bool = False
    further: tuple[Server, ...] = ()

    @property
    def servers(self) -> tuple[Server, ...]:
        """All servers that are asked."""
        return (self.server, *self.further)

    @property
    def most_in_flight(self) -> int:
        """Most requests in flight at all servers together."""
        return self.pace.max_concurrency * len(self.servers)


class Refusals:
    """Holds back `INVALID` answers until the server has accepted a request that was sent later.

    Until then, the fault may lie in what all requests share, such as a setting or the account, and the answers must not
    be stored as final.

    Args:
        trusted: The server is known to accept such requests, so that a few refusals at the end are final.
        in_flight: Most requests in flight; so many refusals may come before the answer to a request sent later.
    """

    def __init__(self, trusted: bool, in_flight: int = 1) -> None:
        self._trusted = trusted
        self._most = max(_MOST_REFUSALS, 2 * in_flight)
        self._held: list[tuple[int, Request, Answer]] = []

    @property
    def keys(self) -> set[bytes]:
        """The keys of the requests whose answers are held back."""
        return {request.key for _, request, _ in self._held}

    def admit(self, request: Request, answer: Answer, sent: int) -> list[tuple[Request, Answer]]:
        """Return the answers that may be stored now: none if this one is held back, else it and those it releases.

        Args:
            request: The request.
            answer: Its answer.
            sent: Number of the try, in the order of sending.
        """
        if answer.outcome is Outcome.INVALID:
            self._held.append((sent, request, answer))
            return []
        return [*self.release(sent), (request, answer)]

    def release(self, sent: float = float("inf")) -> list[tuple[Request, Answer]]:
        """Return what was held back, because the server has accepted a request that was sent later (try `sent`)."""
        self._trusted = True
        free = [(r, a) for number, r, a in self._held if number < sent]
        self._held = [held for held in self._held if held[0] >= sent]
        return free

    def check(self) -> None:
        """Raise an error if the server refuses request after request.

        Raises:
            TeacherError: It does.
        """
        self._check(self._most if self._trusted else _MOST_REFUSALS)

    def rest(self) -> list[tuple[Request, Answer]]:
        """Return the answers that are still held back once all requests have ended.

        Raises:
            TeacherError: The server has accepted no request, or none of the last ones.
        """
        self._check(_MOST_REFUSALS if self._trusted else 1)
        free, self._held = [(request, answer) for _, request, answer in self._held], []
        return free

    def _check(self, most: int) -> None:
        kinds = Counter(_kind(answer) if self._trusted else "" for _, _, answer in self._held)
        if not kinds or max(kinds.values()) < most:
            return
        kind, number = kinds.most_common(1)[0]
        said = next(a.finish_reason for _, _, a in self._held if not self._trusted or _kind(a) == kind)
        if self._trusted:
            raise TeacherError(
                f"the teacher's server refused the last {number} requests for one reason ({said}), and none of these "
                "refusals is stored; check the account, augft.teacher (extra_body, max_tokens) and the context_tokens "
                "of augft.augment against what the server accepts, and run again"
            )
        raise TeacherError(
            f"the teacher's server calls the first {number} requests invalid and answered none ({said}); check "
            "augft.teacher (api, structured_output, extra_body, max_tokens) against what the server accepts"
        )


def _kind(answer: Answer) -> str:
    """Return what a refusal says, without the words that hold a number, since those differ from request to request."""
    return _NUMBERED.sub("#", answer.finish_reason.removeprefix("HTTP "))
