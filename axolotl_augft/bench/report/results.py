"""What a suite found, cell by cell: a JSON file that tables and plots are made from."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from axolotl_augft.errors import BenchError
from axolotl_augft.files.durable import read_json, write_json

SCHEMA = 1
Condition = Literal["pretrained", "icl", "ft", "aug-local", "aug-global", "aug-both"]
CONDITIONS: tuple[Condition, ...] = ("pretrained", "icl", "ft", "aug-local", "aug-global", "aug-both")
Splitting = Literal["none", "independent", "cumulative"]


@dataclass(frozen=True, slots=True)
class Score:
    """One question scored: log-likelihood of each choice in nats, in the question's order, and its length in bytes."""

    question: str
    split: str
    subset: str
    answer: int
    loglikelihoods: tuple[float, ...]
    choice_bytes: tuple[int, ...]

    @property
    def right(self) -> bool:
        """Whether the right choice is likelier than every other; a tie is not."""
        right = self.loglikelihoods[self.answer]
        return all(right > other for i, other in enumerate(self.loglikelihoods) if i != self.answer)


@dataclass(frozen=True)
class TeacherUse:
    """What the teacher was asked for a cell's augmentations: counts over all its stored answers, whether asked now or before."""

    id: str
    requests: int
    prompt_tokens: int
    completion_tokens: int
    seconds: float | None


@dataclass(frozen=True)
class TrainingUse:
    """A cell's training.

    `tokens`: seen by the model, padding not counted, None if unknown. `rows`: original and augmented.
    """

    steps: int
    batch_rows: int
    original_rows: int
    augmented_rows: int
    tokens: int | None
    seconds: float


@dataclass(frozen=True)
class CellResult:
    """One condition, one seed, one way of splitting.

    `status` failed: `error` says in a line what happened, `log` where to read more. `context_tokens`: of an `icl`
    prompt, without the question.
    """

    condition: Condition
    seed: int
    splitting: Splitting
    status: Literal["done", "failed"]
    fingerprint: str
    scores: tuple[Score, ...] = ()
    teacher: TeacherUse | None = None
    training: TrainingUse | None = None
    context_tokens: int | None = None
    scoring_seconds: float | None = None
    error: str | None = None
    log: str | None = None

    @property
    def accuracy(self) -> float:
        """Share of questions answered rightly."""
        return sum(s.right for s in self.scores) / len(self.scores)


@dataclass(frozen=True)
class SuiteResult:
    """All cells of a suite, with what they were run on and with.

    `data`: the data set's `dataset.json`. `machine`: a line on the processor or device. `versions`: of the libraries.
    """

    suite: str
    title: str
    data: dict[str, Any]
    model: str
    machine: str
    versions: dict[str, str]
    chance: float
    cells: tuple[CellResult, ...]
    prices: dict[str, float] = field(default_factory=dict)
    schema: int = SCHEMA

    def of(self, condition: Condition) -> Sequence[CellResult]:
        """The finished cells of a condition."""
        return [c for c in self.cells if c.condition == condition and c.status == "done"]


def together(results: Sequence[SuiteResult]) -> list[SuiteResult]:
    """Results of one suite over the same data, on the same machine and model, put into one; a cell that came twice counts once.

    So seeds and conditions can be run apart. A finished cell goes before a failed one.

    Raises:
        BenchError: The results of one suite are of different numbers of steps.
    """
    found: dict[tuple[str, ...], SuiteResult] = {}
    for result in results:
        key = (result.suite, str(sorted(result.data.items())), result.model, result.machine)
        cells: dict[tuple[Condition, int, Splitting], CellResult] = {}
        for cell in (*(found[key].cells if key in found else ()), *result.cells):
            place = (cell.condition, cell.seed, cell.splitting)
            if place not in cells or cells[place].status == "failed":
                cells[place] = cell
        ordered = sorted(cells.values(), key=lambda c: (CONDITIONS.index(c.condition), c.seed))
        found[key] = replace(result, cells=tuple(ordered))
        steps = {c.training.steps for c in ordered if c.training}
        if len(steps) > 1:
            found_steps = " and ".join(map(str, sorted(steps)))
            raise BenchError(
                f"suite {result.suite}: results of {found_steps} steps cannot be put together; give those of one number"
            )
    return list(found.values())


def save_result(result: SuiteResult, path: Path) -> None:
    """Writes the file."""
    write_json(path, asdict(result))


def load_result(path: Path) -> SuiteResult:
    """Reads a file that `save_result` wrote.

    Raises:
        BenchError: It is missing, or another version wrote it.
    """
    data = read_json(path)
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise BenchError(f"{path}: not a result of `axolotl augft bench run`; run the suite first")
    return SuiteResult(**{**data, "cells": tuple(cell_of(c) for c in data["cells"])})


def cell_of(data: dict[str, Any]) -> CellResult:
    """A cell from its plain values."""
    scores = tuple(
        Score(**{**s, "loglikelihoods": tuple(s["loglikelihoods"]), "choice_bytes": tuple(s["choice_bytes"])})
        for s in data["scores"]
    )
    teacher = TeacherUse(**data["teacher"]) if data["teacher"] else None
    training = TrainingUse(**data["training"]) if data["training"] else None
    return CellResult(**{**data, "scores": scores, "teacher": teacher, "training": training})
