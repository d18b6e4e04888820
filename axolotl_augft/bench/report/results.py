"""Scored cells -> the JSON file of a suite's results, which tables and figures are made from."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from axolotl_augft.bench.report.written import Written
from axolotl_augft.errors import BenchError
from axolotl_augft.files.durable import read_json, write_json

SCHEMA = 1
Condition = Literal[
    "pretrained",
    "icl",
    "ft",
    "ft-form",
    "aug-cloze",
    "aug-local",
    "aug-questions",
    "aug-study",
    "aug-global",
    "aug-both",
]
CONDITIONS: tuple[Condition, ...] = get_args(Condition)
Splitting = Literal["none", "independent", "cumulative"]
Match = Literal["steps", "source"]
"""What all conditions share: the number of optimizer steps, or how often they see the source rows."""


@dataclass(frozen=True, slots=True)
class Score:
    """The scores of one question.

    Attributes:
        question: The question's id.
        subset: Task subset for error bars; may be empty.
        answer: Index of the right choice.
        loglikelihoods: Log-likelihood of each choice in nats, in the question's order; empty for a question without
            choices.
        choice_bytes: Length of each choice in bytes.
        written: The student's own answer, if it was let to write one.
    """

    question: str
    split: str
    subset: str
    answer: int
    loglikelihoods: tuple[float, ...]
    choice_bytes: tuple[int, ...]
    written: Written | None = None

    @property
    def right(self) -> bool:
        """Whether the right choice is likelier than every other one; a tie does not count.

        Without choices: whether the right answer stands in what the student wrote.
        """
        if not self.loglikelihoods:
            return self.written is not None and self.written.contains
        right = self.loglikelihoods[self.answer]
        return all(right > other for i, other in enumerate(self.loglikelihoods) if i != self.answer)


@dataclass(frozen=True)
class TeacherUse:
    """The teacher's work for a cell's augmentations, over all stored answers, whenever they were requested.

    Attributes:
        id: The teacher's id.
        seconds: Estimated time for these answers; None if unknown.
    """

    id: str
    requests: int
    prompt_tokens: int
    completion_tokens: int
    seconds: float | None


@dataclass(frozen=True)
class TrainingUse:
    """The training of a cell.

    Attributes:
        batch_rows: Rows per optimizer step.
        original_rows: Source rows of one epoch.
        augmented_rows: Augmentations of one epoch.
        tokens: Trained tokens without padding; None if unknown.
        seconds: The trainer's run time, without loading.
    """

    steps: int
    batch_rows: int
    original_rows: int
    augmented_rows: int
    tokens: int | None
    seconds: float


@dataclass(frozen=True)
class CellResult:
    """The result of one condition with one seed and one kind of sentence splitting.

    Attributes:
        fingerprint: Digest of everything that the result depends on.
        context_tokens: Tokens of an `icl` prompt without the question.
        error: One line on what failed, if `status` is `failed`.
        log: Log file with more about the failure, if there is one.
        general: Accuracy in each general task that tells what the model forgets; empty if none was asked for.
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
    general: dict[str, float] = field(default_factory=dict)

    @property
    def accuracy(self) -> float:
        """Share of questions answered correctly."""
        return sum(s.right for s in self.scores) / len(self.scores)

    @property
    def failure(self) -> str:
        """What failed, with the log file if there is one."""
        return f"{self.error}" + (f" (log: {self.log})" if self.log else "")


@dataclass(frozen=True)
class SuiteResult:
    """All cells of a suite, and what they were run on.

    Attributes:
        data: Content of the data set's `dataset.json`.
        model: The student before training.
        machine: One line about the processor or device.
        versions: Library versions by name.
        chance: Accuracy of random guessing.
        prices: Prices in dollars; empty if the suite has none.
        match: What the trained conditions share.
        schema: Version of the file format.
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
    match: Match = "steps"
    schema: int = SCHEMA

    def of(self, condition: Condition) -> Sequence[CellResult]:
        """Return the finished cells of a condition."""
        return [c for c in self.cells if c.condition == condition and c.status == "done"]


def together(results: Sequence[SuiteResult]) -> list[SuiteResult]:
    """Merge results of the same suite, data, model and machine, so that seeds and conditions can be run separately.

    Of a cell that occurs twice, the first finished one is kept.

    Raises:
        BenchError: Merged results were trained for different numbers of steps.
    """
    found: dict[tuple[str, ...], SuiteResult] = {}
    for result in results:
        key = (result.suite, str(sorted(result.data.items())), result.model, result.machine, result.match)
        cells: dict[tuple[Condition, int, Splitting], CellResult] = {}
        for cell in (*(found[key].cells if key in found else ()), *result.cells):
            place = (cell.condition, cell.seed, cell.splitting)
            if place not in cells or cells[place].status == "failed":
                cells[place] = cell
        ordered = sorted(cells.values(), key=lambda c: (CONDITIONS.index(c.condition), c.seed))
        found[key] = replace(result, cells=tuple(ordered))
        steps = {c.training.steps for c in ordered if c.training}
        if len(steps) > 1 and result.match == "steps":
            found_steps = " and ".join(map(str, sorted(steps)))
            raise BenchError(
                f"suite {result.suite}: results of {found_steps} steps cannot be merged; give those of one number"
            )
    return list(found.values())


def save_result(result: SuiteResult, path: Path) -> None:
    """Write a result as JSON."""
    write_json(path, asdict(result))


def load_result(path: Path) -> SuiteResult:
    """Read a file that `save_result` wrote.

    Raises:
        BenchError: The file is missing or has another format.
    """
    data = read_json(path)
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise BenchError(f"{path}: not a result of `axolotl augft bench run`; run the suite first")
    return SuiteResult(**{**data, "cells": tuple(cell_of(c) for c in data["cells"])})


def cell_of(data: dict[str, Any]) -> CellResult:
    """Build a cell from the plain values of its JSON."""
    scores = tuple(_score_of(s) for s in data["scores"])
    teacher = TeacherUse(**data["teacher"]) if data["teacher"] else None
    training = TrainingUse(**data["training"]) if data["training"] else None
    return CellResult(**{**data, "scores": scores, "teacher": teacher, "training": training})


def _score_of(data: dict[str, Any]) -> Score:
    written = Written(**data["written"]) if data.get("written") else None
    tuples = {name: tuple(data[name]) for name in ("loglikelihoods", "choice_bytes")}
    return Score(**{**data, **tuples, "written": written})
