"""The counts of one run's requests -> the record that the summary shows and the result keeps."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from axolotl_augft.teacher.spending import Usage


@dataclass(frozen=True)
class RunRecord:
    """The requests of one run, summed over its rounds.

    Attributes:
        asked: Requests that were sent; retries do not count again.
        answered_before: Requests that were not sent, because the store had their outcome.
        failed_tries: Failed tries by reason, including those of requests that succeeded later.
        remarks: Answers that were cut, empty, or came with reasoning.
        seconds: How long sending and waiting took.
        usage: Tokens and dollars of this run's answers.
        all_runs: Tokens and dollars of all of the recipe's answers, whichever run asked for them; each counts once.
    """

    asked: int = 0
    answered_before: int = 0
    failed_tries: dict[str, int] = field(default_factory=dict)
    remarks: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    usage: Usage = Usage()
    all_runs: Usage = Usage()

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "RunRecord":
        """Rebuild a record from the output of `dataclasses.asdict`."""
        record = cls(**values)
        return replace(record, usage=Usage(**values["usage"]), all_runs=Usage(**values["all_runs"]))
