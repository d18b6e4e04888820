"""Counts of a round -> its progress: a bar on a terminal, else a log line every 30 s, with rate and time left."""

import logging
import sys
import time
from collections.abc import Callable
from types import TracebackType

from tqdm import tqdm

from axolotl_augft.asking.round import RoundCounts
from axolotl_augft.steady import LINE_SECONDS, duration
from axolotl_augft.teacher.prices import NANO
from axolotl_augft.teacher.spending import dollars

LOG = logging.getLogger("axolotl_augft")
_NOTE_SECONDS = 10.0


class Progress:
    """Shows the progress of a round; a context manager that closes the bar.

    Args:
        total: Number of requests to send.
        title: Name of the round.
        clock: Returns a time in seconds; replaced in tests.
        note: What else to say, such as a running share; called every 10 s at most, and at the end.
    """

    def __init__(
        self,
        total: int,
        title: str,
        clock: Callable[[], float] = time.monotonic,
        note: Callable[[], str] = str,
    ) -> None:
        self._total = total
        self._title = title
        self._clock = clock
        self._note = note
        self._noted = ""
        self._start = self._last_line = self._last_note = clock()
        self._bar = tqdm(total=total, desc=title, unit="request", disable=not sys.stderr.isatty())

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def update(self, counts: RoundCounts) -> None:
        """Show the current counts; called after each request that ended."""
        self._bar.n = counts.total
        if self._clock() - self._last_note >= _NOTE_SECONDS:
            self._last_note = self._clock()
            self._noted = _after_comma(self._note())
        rate = f"{self._tokens_per_second(counts):.0f} tokens/s"
        self._bar.set_postfix_str(f"{rate}{_spent(counts)}{self._noted}", refresh=False)
        self._bar.update(0)
        if self._bar.disable and self._clock() - self._last_line >= LINE_SECONDS:
            self._last_line = self._clock()
            LOG.info("augft: %s", self._line(counts))

    def last_line(self, counts: RoundCounts) -> str:
        """Describe how the round ended."""
        self._noted = _after_comma(self._note())
        return self._line(counts)

    def _line(self, counts: RoundCounts) -> str:
        seconds = max(self._clock() - self._start, 1e-9)
        rate = counts.total / seconds
        left = (self._total - counts.total) / rate if rate else 0.0
        failed = f", {counts.failed.total()} failed" if counts.failed else ""
        return (
            f"{self._title}: {counts.total} of {self._total} requests ({rate:.1f}/s), "
            f"{self._tokens_per_second(counts):.0f} tokens/s, "
            f"{duration(left)} left{_spent(counts)}{failed}{self._noted}"
        )

    def _tokens_per_second(self, counts: RoundCounts) -> float:
        return counts.spent.completion_tokens / max(self._clock() - self._start, 1e-9)


def _after_comma(note: str) -> str:
    return f", {note}" if note else ""


def _spent(counts: RoundCounts) -> str:
    """Say what the round has cost so far, nothing if no price is known."""
    return f", {dollars(counts.spent.nanodollars / NANO)} so far" if counts.spent.nanodollars else ""
