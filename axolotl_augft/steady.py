"""Items of long work -> the same items, with one steady line about how far it is: a bar, or log lines."""

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

LOG = logging.getLogger("axolotl_augft")
LINE_SECONDS = 30.0
_LOOKED_AT = 0.2
T = TypeVar("T")


def steadily(
    items: Iterable[T],
    title: str,
    unit: str,
    total: int | None = None,
    note: Callable[[], str] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[T]:
    """Yield the items; show their number and rate, and the time left, on a terminal, or log them every 30 s.

    Work that takes less than 30 s logs nothing.

    Args:
        items: The items.
        title: Name of the work.
        unit: What an item is, in the plural.
        total: Number of items, None if unknown.
        note: What else to say, such as a running share.
        clock: Returns a time in seconds; replaced in tests.
    """
    start = looked = last_line = clock()
    done = 0
    with tqdm(total=total, desc=title, unit=f" {unit}", disable=not sys.stderr.isatty(), leave=False) as bar:
        for item in items:
            yield item
            done += 1
            now = clock()
            if now - looked < _LOOKED_AT:
                continue
            looked = now
            if not bar.disable:
                bar.set_postfix_str(note() if note else "", refresh=False)
                bar.update(done - bar.n)
            elif now - last_line >= LINE_SECONDS:
                last_line = now
                LOG.info("augft: %s", _line(title, unit, done, total, now - start, note() if note else ""))


def _line(title: str, unit: str, done: int, total: int | None, seconds: float, note: str) -> str:
    rate = done / max(seconds, 1e-9)
    of = "" if total is None else f" of {total:,}"
    left = "" if total is None or not rate else f", {duration((total - done) / rate)} left"
    return f"{title}: {done:,}{of} {unit} ({rate:,.1f}/s){left}" + (f", {note}" if note else "")


def duration(seconds: float) -> str:
    """Format a duration: 40 s, 12 min, 3 h 5 min."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
