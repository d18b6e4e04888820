"""Statements -> those that a person asks for on the command line, and how doubtful each is."""

import re
from dataclasses import dataclass

from axolotl_augft.errors import ConfigError
from axolotl_augft.report.figures import new_words
from axolotl_augft.report.reviewed import Statement


@dataclass(frozen=True)
class Selection:
    """Which statements are meant; the defaults mean all.

    Attributes:
        kinds: Kinds, as "reversal" or "local/reversal"; empty for all.
        reasons: Reasons for rejection; empty for all.
        rejected: Only rejected statements (True), only kept ones (False), or both (None).
        grep: A regular expression that the statement or its question must contain, whatever its case; None for any.
        below: Only statements with a probability below this; None for all.
    """

    kinds: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    rejected: bool | None = None
    grep: re.Pattern[str] | None = None
    below: float | None = None

    def matches(self, statement: Statement) -> bool:
        """Return whether a statement is meant."""
        s = statement
        return (
            (self.rejected is None or self.rejected == (s.reason is not None))
            and (not self.kinds or s.kind in self.kinds or f"{s.strategy}/{s.kind}" in self.kinds)
            and (not self.reasons or s.reason in self.reasons)
            and (self.grep is None or self.grep.search(s.pair) is not None)
            and (self.below is None or (s.probability is not None and s.probability < self.below))
        )

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return self == Selection()


def search_pattern(text: str | None) -> re.Pattern[str] | None:
    """Compile what `--grep` names.

    Raises:
        ConfigError: It is not a regular expression.
    """
    try:
        return None if text is None else re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise ConfigError(f"--grep {text!r} is not a regular expression ({error})") from None


def doubt(statement: Statement, source: str) -> tuple[bool, bool, float]:
    """Return a key that sorts the most doubtful statement first.

    Kept statements come first, the least probable at the top; then rejected ones, the most probable at the top. Those
    without a probability follow, as the share of words that their source lacks does not compare with one: the more of
    them, the more doubtful.
    """
    is_rejected, is_unverified = statement.reason is not None, statement.probability is None
    value = 1 - statement.probability if statement.probability is not None else new_words(statement, source)
    return is_rejected, is_unverified, value if is_rejected else -value
