"""Answers -> what they cost together: tokens and dollars, with what is unknown said as unknown."""

from dataclasses import dataclass, fields

from axolotl_augft.teacher.answer import Answer
from axolotl_augft.teacher.prices import NANO


@dataclass(frozen=True)
class Usage:
    """Tokens and dollars of a number of answers.

    A sum is None where no answer says its part, else it is of those that do; `without_tokens` and `without_dollars`
    count the others.
    """

    answers: int = 0
    prompt_tokens: int | None = 0
    cached_tokens: int | None = 0
    completion_tokens: int | None = 0
    dollars: float | None = 0.0
    without_tokens: int = 0
    without_dollars: int = 0


@dataclass
class Spent:
    """Adds up answers, each once. Sums are of the answers that say their part."""

    answers: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    nanodollars: int = 0
    without_tokens: int = 0
    without_cached: int = 0
    without_dollars: int = 0

    def add(self, answer: Answer) -> None:
        """Counts an answer."""
        self.answers += 1
        self.prompt_tokens += answer.prompt_tokens or 0
        self.cached_tokens += answer.cached_tokens or 0
        self.completion_tokens += answer.completion_tokens or 0
        self.nanodollars += answer.nanodollars or 0
        self.without_tokens += answer.prompt_tokens is None or answer.completion_tokens is None
        self.without_cached += answer.cached_tokens is None
        self.without_dollars += answer.nanodollars is None

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(*(getattr(self, f.name) - getattr(other, f.name) for f in fields(self)))

    def usage(self) -> Usage:
        """The sums so far."""

        def known(value: int, without: int) -> int | None:
            return None if without and without == self.answers else value

        nanodollars = known(self.nanodollars, self.without_dollars)
        return Usage(
            self.answers,
            known(self.prompt_tokens, self.without_tokens),
            known(self.cached_tokens, self.without_cached),
            known(self.completion_tokens, self.without_tokens),
            None if nanodollars is None else nanodollars / NANO,
            self.without_tokens,
            self.without_dollars,
        )


def dollars(amount: float) -> str:
    """Dollars in words: cents from a dollar on, below that two digits that say something."""
    return (
        f"${amount:,.2f}"
        if amount >= 1 or amount == 0
        else f"${amount:.2g}"
        if amount >= 1e-4
        else f"${amount:.9f}".rstrip("0")
    )


def usage_line(usage: Usage) -> str:
    """Tokens and dollars in one line."""
    if usage.prompt_tokens is None or usage.completion_tokens is None:
        return "teacher tokens and dollars unknown: no answer says its usage"
    cached = (
        "unknown how many of them cached" if usage.cached_tokens is None else f"{usage.cached_tokens:,} of them cached"
    )
    silent = f"; {usage.without_tokens:,} answers did not say" if usage.without_tokens else ""
    return (
        f"teacher tokens: {usage.prompt_tokens:,} in ({cached}), {usage.completion_tokens:,} out{silent}; "
        f"{_dollars(usage)}"
    )


def _dollars(usage: Usage) -> str:
    if usage.dollars is None:
        return "dollars unknown"
    least = f" at least ({usage.without_dollars:,} answers unknown)" if usage.without_dollars else ""
    return dollars(usage.dollars) + least
