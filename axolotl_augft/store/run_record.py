"""What a run of the stage asked, as the summary tells it and the result's record keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from axolotl_augft.teacher.spending import Usage


@dataclass(frozen=True)
class RunRecord:
    """The requests of one run, whatever rounds they were in.

    Attributes:
        asked: Requests that were sent, each once.
        answered_before: Requests that the store had an outcome for.
        passing_failures: Tries that failed, by reason, whatever came later.
        remarks: Answers that were cut, empty, or came with reasoning.
        seconds: How long the asking took.
        usage: Tokens and dollars of this run's answers.
        all_runs: Tokens and dollars of all of the recipe's answers, whichever run asked for them; each counts once.
    """

    asked: int = 0
    answered_before: int = 0
    passing_failures: dict[str, int] = field(default_factory=dict)
    remarks: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    usage: Usage = Usage()
    all_runs: Usage = Usage()

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "RunRecord":
        """The record of plain values, as `dataclasses.asdict` makes them."""
        record = cls(**values)
        return replace(record, usage=Usage(**values["usage"]), all_runs=Usage(**values["all_runs"]))
