"""What a server can answer: a final answer, which is stored, or a passing failure, which never is."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """Final outcomes. They are stored and never asked for again unless the user says so."""

    ANSWERED = "answered"
    FILTERED = "filtered"
    """The provider's content filter refused the request."""
    INVALID = "invalid"
    """The server called the request invalid (400, 413, 422 …)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A final answer. Token counts are None where the server did not say.

    `reasoning`: what a reasoning model thought before it answered; None if nothing came, "" if it came and is not to be
    kept. `nanodollars`: what it cost, in 10^-9 dollars, so that sums are exact; None where tokens or prices are
    unknown.
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
        """What is worth counting about an answered request's answer: it was cut, is empty, came with reasoning."""
        if self.outcome is not Outcome.ANSWERED:
            return ()
        found = {"cut": self.was_cut, "empty": not self.text.strip(), "with reasoning": self.reasoning is not None}
        return tuple(name for name, true in found.items() if true)

    @property
    def was_cut(self) -> bool:
        """Whether the answer ended because it reached `max_tokens`."""
        return self.finish_reason == "length"


@dataclass(frozen=True, slots=True)
class Failure:
    """A passing failure: the same request may succeed later.

    `reason` is a short name to count by. `retry_after`: seconds the server asked to wait. `busy`: the server has too
    much to do (429, 503, 529). `unconnected`: there is, or was soon, no connection. `lasting`: the server answered, in
    a way that is likely to stay, so that one further try is enough.
    """

    reason: str
    retry_after: float | None = None
    busy: bool = False
    unconnected: bool = False
    lasting: bool = False
