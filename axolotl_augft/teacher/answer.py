"""A server's response -> a final answer, which is stored, or a transient failure, which never is."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """Final outcomes, which are stored; such a request is sent again only if the user says so."""

    ANSWERED = "answered"
    FILTERED = "filtered"
    """The provider's content filter refused the request."""
    INVALID = "invalid"
    """The server rejected the request as invalid (400, 413, 422 …)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A final answer. A number of tokens is None if the server did not report it.

    Attributes:
        outcome: What became of the request.
        text: The answer, without reasoning; "" unless the outcome is `ANSWERED`.
        finish_reason: Why the answer ended, in the server's words; for another outcome, the error.
        prompt_tokens: Tokens of the prompt.
        cached_tokens: Those of them that the server took from its prefix cache.
        completion_tokens: Tokens of the answer.
        reasoning: What a reasoning model thought before it answered; None if nothing came, "" if it is not kept.
        nanodollars: Cost in 10^-9 dollars, a whole number so that sums are exact; None if tokens or prices are unknown.
    """

    outcome: Outcome
    text: str = ""
    finish_reason: str = ""
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning: str | None = None
    nanodollars: int | None = None

    @property
    def tokens(self) -> tuple[int | None, int | None, int | None]:
        """Prompt, cached and completion tokens."""
        return self.prompt_tokens, self.cached_tokens, self.completion_tokens

    @property
    def remarks(self) -> tuple[str, ...]:
        """Peculiarities to count: `cut`, `empty`, `with reasoning`; none unless the outcome is `ANSWERED`."""
        if self.outcome is not Outcome.ANSWERED:
            return ()
        found = {"cut": self.was_cut, "empty": not self.text.strip(), "with reasoning": self.reasoning is not None}
        return tuple(name for name, true in found.items() if true)

    @property
    def was_cut(self) -> bool:
        """True if the answer ended because it reached `max_tokens`."""
        return self.finish_reason == "length"


@dataclass(frozen=True, slots=True)
class Failure:
    """A transient failure: the same request may succeed later.

    Attributes:
        reason: A short name to count by.
        retry_after: Seconds that the server asked to wait, None if it did not.
        busy: Whether the server is overloaded (429, 503, 529).
        unconnected: Whether there was no connection, or it was lost.
        lasting: Whether the server's answer is likely to be the same next time, so that one retry is enough.
    """

    reason: str
    retry_after: float | None = None
    busy: bool = False
    unconnected: bool = False
    lasting: bool = False
