"""A server's response -> a final answer, which is stored, or a transient failure, which never is."""

from dataclasses import dataclass, field
from enum import StrEnum

from axolotl_augft.errors import TeacherError


class Outcome(StrEnum):
    """Final outcomes, which are stored; such a request is sent again only if the user says so."""

    ANSWERED = "answered"
    FILTERED = "filtered"
    """The provider's content filter refused the request."""
    INVALID = "invalid"
    """The server rejected the request as invalid (400, 413, 422 …)."""


@dataclass(frozen=True, slots=True)
class TokenChoice:
    """A token that the model might have written at some place, with its log-probability in nats."""

    token: str
    logprob: float


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
        first_token: The most probable choices for the answer's first token; None unless they were asked for and came.
    """

    outcome: Outcome
    text: str = ""
    finish_reason: str = ""
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning: str | None = None
    nanodollars: int | None = None
    first_token: tuple[TokenChoice, ...] | None = None

    @property
    def tokens(self) -> tuple[int | None, int | None, int | None]:
        """Prompt, cached and completion tokens."""
        return self.prompt_tokens, self.cached_tokens, self.completion_tokens

    @property
    def remarks(self) -> tuple[str, ...]:
        """Peculiarities to count: `cut`, `empty`, `with reasoning`; none unless the outcome is `ANSWERED`.

        An answer of one token that was asked for its probabilities is not cut.
        """
        if self.outcome is not Outcome.ANSWERED:
            return ()
        found = {
            "cut": self.was_cut and self.first_token is None,
            "empty": self.is_empty,
            "with reasoning": self.reasoning is not None,
        }
        return tuple(name for name, true in found.items() if true)

    @property
    def is_empty(self) -> bool:
        """True if the teacher answered, but with no text besides reasoning."""
        return self.outcome is Outcome.ANSWERED and not self.text.strip()

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
        over_limit: Whether the request exceeded a limit of the account (429). Such tries are not counted as retries.
        unconnected: Whether there was no connection, or it was lost.
        lasting: Whether the server's answer is likely to be the same next time, so that one retry is enough.
        said: The server's error message, "" if there is none or it must not be shown; not part of a comparison.
        denial: The error that ends the run if all requests fail like this (403, 404); None for any other failure.
    """

    reason: str
    retry_after: float | None = None
    busy: bool = False
    over_limit: bool = False
    unconnected: bool = False
    lasting: bool = False
    said: str = field(default="", compare=False)
    denial: TeacherError | None = field(default=None, compare=False)
