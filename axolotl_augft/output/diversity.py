"""Accepted statements -> how many of them, and of their runs of three words, are different ones, for the summary.

Runs are counted by linear counting: each sets one of a fixed number of marks by its digest, and the share of marks left
unset tells how many different runs there were (Whang et al., 1990). It takes 4 MB, whatever the number of statements,
and 8 bytes for each statement. The error is below 1 % up to 40 million different runs.
"""

import hashlib
import math
import zlib
from array import array
from typing import Any

import numpy as np

from axolotl_augft.text.words import matched_words
from axolotl_augft.verifying.records import Diversity

RUN = 3
"""Words of a run."""
_MARKS = 1 << 22


class DiversityCount:
    """Counts statements as they come."""

    def __init__(self) -> None:
        self._statements = array("Q")
        self._runs = 0
        self._marks = np.zeros(_MARKS, dtype=np.bool_)

    def add(self, text: str) -> None:
        """Count a statement."""
        words = matched_words(text)
        runs = [" ".join(words[i : i + RUN]) for i in range(len(words) - RUN + 1)]
        self._statements.append(int.from_bytes(hashlib.blake2b(" ".join(words).encode(), digest_size=8).digest()))
        self._runs += len(runs)
        for run in runs:
            self._marks[zlib.crc32(run.encode()) % _MARKS] = True

    def update(self, other: "DiversityCount") -> None:
        """Count what another has counted, such as of other documents; what both have counts once."""
        self._statements.extend(other._statements)
        self._runs += other._runs
        self._marks |= other._marks

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process is sent: of some thousand marks, only those that are set."""
        set_ones = np.flatnonzero(self._marks).astype(np.uint32)
        return {"statements": self._statements, "runs": self._runs, "set": set_ones}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._statements, self._runs = state["statements"], state["runs"]
        self._marks = np.zeros(_MARKS, dtype=np.bool_)
        self._marks[state["set"]] = True

    @property
    def counted(self) -> Diversity:
        """What was counted so far."""
        unset = _MARKS - int(np.count_nonzero(self._marks))
        runs = min(self._runs, round(-_MARKS * math.log(max(unset, 1) / _MARKS)))
        return Diversity(len(self._statements), len(np.unique(self._statements)), self._runs, runs)
