"""A plan -> its result, cell by cell: resumable, and a failed cell does not stop the others."""

import logging
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from axolotl_augft.bench.datasets.dataset import FORM, write_documents
from axolotl_augft.bench.datasets.forgetting.tasks import general_questions
from axolotl_augft.bench.experiments.icl import build_context, drawn_questions, window_left
from axolotl_augft.bench.experiments.plan import Cell, Fingerprints, Plan, cell_recipe, logging_steps
from axolotl_augft.bench.experiments.questions import check_questions, write_tasks
from axolotl_augft.bench.experiments.scoring import LOG_FILE as SCORING_LOG
from axolotl_augft.bench.experiments.scoring import Job, require_lm_eval, require_model, score
from axolotl_augft.bench.experiments.training import LOG_FILE as TRAINING_LOG
from axolotl_augft.bench.experiments.training import StageAnswers, augment_or_count, steps_of_as_many_epochs, train
from axolotl_augft.bench.report.machine import machine_line
from axolotl_augft.bench.report.results import (
    CONDITIONS,
    CellResult,
    Score,
    SuiteResult,
    TeacherUse,
    TrainingUse,
    cell_of,
    save_result,
)
from axolotl_augft.errors import BenchError, OutputError
from axolotl_augft.files.durable import read_json, write_json
from axolotl_augft.output.manifest import Load
from axolotl_augft.text.tokens import token_counter

LOG = logging.getLogger("axolotl_augft")
RESULTS = "results.json"
_LIBRARIES = ("axolotl", "axolotl-augft", "lm_eval", "peft", "torch", "transformers")


def run_plan(plan: Plan, out: Path) -> SuiteResult:
    """Run the unfinished cells of a plan, and write `results.json` after every cell.

    Args:
        plan: The plan.
        out: Output folder.

    Raises:
        BenchError: Another run writes to the folder, it cannot be written, lm_eval is missing, or a question or the
            model cannot be used.
    """
    out = out.resolve()
    require_lm_eval()
    check_questions(plan.questions, plan.name, written=bool(plan.scoring.answer_tokens))
    require_model(plan.model)
    with _alone(out), _teacher(plan) as teacher:
        return _Run(plan, out, teacher).all_cells()


class _CellFailed(Exception):
    """A cell that cannot be finished; `__cause__` says why."""

    def __init__(self, log: str | None) -> None:
        super().__init__(log)
        self.log = log


@contextmanager
def _logged_to(log: Path) -> Iterator[None]:
    """Turn known errors into `_CellFailed`, with the log file if it exists."""
    try:
        yield
    except (BenchError, OutputError, ValueError) as error:
        raise _CellFailed(str(log) if log.is_file() else None) from error


class _Run:
    def __init__(self, plan: Plan, out: Path, teacher: Mapping[str, Any]) -> None:
        self._plan = plan
        self._out = out
        self._teacher = teacher
        self._fingerprints = Fingerprints(plan)
        self._machine = machine_line()
        self._general = tuple(q for name in plan.forgetting for q in general_questions(name))
        self._tasks = write_tasks(
            plan.name, plan.questions, out / "questions", plan.scoring.answer_tokens, general=self._general
        )
        count = token_counter(plan.model).count
        self._source = Load(plan.rows, sum(map(count, plan.documents)))
        self._form = Load(len(plan.form_rows), sum(map(count, plan.form_rows)))
        if plan.form_rows:
            write_documents(plan.form_rows, out / "augmentations" / FORM)

    def all_cells(self) -> SuiteResult:
        cells = self._plan.cells()
        done: dict[str, CellResult] = {}
        for n, cell in enumerate(cells, 1):
            known = self._known(cell)
            start = time.monotonic()
            done[cell.name] = known or self._run(cell)
            LOG.info(
                "bench: [%d/%d] %s",
                n,
                len(cells),
                _progress(cell, done[cell.name], bool(known), time.monotonic() - start),
            )
            result = self._result({**self._finished_before(), **done})
            save_result(result, self._out / RESULTS)
        return result

    def _known(self, cell: Cell) -> CellResult | None:
        """Load the result of an earlier run, if nothing that it depends on has changed."""
        data = read_json(self._folder(cell) / "cell.json")
        known = cell_of(data) if isinstance(data, dict) else None
        return known if known and known.status == "done" and known.fingerprint == self._fingerprints.of(cell) else None

    def _finished_before(self) -> dict[str, CellResult]:
        """Load finished cells of earlier runs of the suite, such as those of other conditions or seeds."""
        found: dict[str, CellResult] = {}
        for file in (self._out / "cells").glob("*/cell.json"):
            data: Any = read_json(file)
            cell = Cell(data["condition"], data["seed"], data["splitting"])
            form = ("ft-form",) if self._plan.form_rows else ()
            can_be_planned = cell.condition in ("pretrained", "icl", "ft", *form, *self._plan.augment)
            if can_be_planned and (known := self._known(cell)):
                found[cell.name] = known
        return found

    def _run(self, cell: Cell) -> CellResult:
        folder = self._folder(cell)
        folder.mkdir(parents=True, exist_ok=True)
        empty = CellResult(cell.condition, cell.seed, cell.splitting, "failed", self._fingerprints.of(cell))
        try:
            if cell.trains:
                training, teacher = self._trained(cell, empty.fingerprint)
                empty = replace(empty, training=training, teacher=teacher)
            with _logged_to(folder / SCORING_LOG):
                result = self._scored(cell, empty)
        except _CellFailed as failed:
            result = replace(empty, error=str(failed.__cause__), log=failed.log)
        write_json(folder / "cell.json", asdict(result))
        if cell.trains and result.status == "done" and not self._plan.keep_models:
            shutil.rmtree(folder / "model", ignore_errors=True)
        return result

    def _trained(self, cell: Cell, fingerprint: str) -> tuple[TrainingUse, TeacherUse | None]:
        """Train a cell, unless an earlier run did so and only scoring is left."""
        folder = self._folder(cell)
        mark = folder / "trained.json"
        known = read_json(mark)
        if isinstance(known, dict) and known["fingerprint"] == fingerprint and (folder / "model").is_dir():
            return TrainingUse(**known["training"]), TeacherUse(**known["teacher"]) if known["teacher"] else None
        mark.unlink(missing_ok=True)
        for left_over in ("model", "prepared"):
            shutil.rmtree(folder / left_over, ignore_errors=True)
        cfg = cell_recipe(self._plan, cell, folder, self._out / "augmentations", self._teacher)
        with _logged_to(self._out / "augmentations" / "logs" / "teacher.log"):
            form = Load(0, 0) if cell.condition == "ft" else self._form
            rows = augment_or_count(cfg, self._source + form)
        if self._plan.match == "source":
            steps = steps_of_as_many_epochs(self._plan.steps, self._source, rows, bool(cfg.get("sample_packing")))
            cfg |= {"max_steps": steps, "logging_steps": logging_steps(steps)}
        use = self._with_seconds(rows.use, rows.asked, cell) if rows.use and rows.asked else rows.use
        with _logged_to(folder / TRAINING_LOG):
            training = train(cfg, folder, rows)
        shutil.rmtree(folder / "prepared", ignore_errors=True)
        write_json(
            mark, {"fingerprint": fingerprint, "training": asdict(training), "teacher": asdict(use) if use else None}
        )
        return training, use

    def _with_seconds(self, use: TeacherUse, asked: StageAnswers, cell: Cell) -> TeacherUse:
        """Estimate the teacher's seconds from its pace over all requests of this folder and the cell's answer tokens.

        None if no run of this folder sent a request.
        """
        ledger = self._out / "augmentations" / "asked.json"
        entries = read_json(ledger) or []
        # A repeated cell reuses its result, whose counts are already in the ledger.
        if asked.requests and asdict(asked) not in [e["asked"] for e in entries]:
            entries.append({"cell": cell.name, "asked": asdict(asked)})
            write_json(ledger, entries)
        written = sum(e["asked"]["completion_tokens"] for e in entries)
        seconds = sum(e["asked"]["seconds"] for e in entries)
        return replace(use, seconds=round(seconds / written * use.completion_tokens, 1) if written else None)

    def _scored(self, cell: Cell, unscored: CellResult) -> CellResult:
        folder, plan = self._folder(cell), self._plan
        tasks, questions, general, tokens = self._tasks, plan.questions, self._general, None
        answer_tokens = plan.scoring.answer_tokens
        if cell.condition == "icl":
            questions = drawn_questions(plan.questions, plan.icl.questions, cell.seed)
            counter = token_counter(plan.model)
            left = window_left(plan.model, questions, counter, answer_tokens)
            budget = plan.icl.context_tokens if left is None else min(plan.icl.context_tokens, left)
            context = build_context(plan.documents, plan.stated, questions, budget, cell.seed, counter)
            tasks, tokens = write_tasks(plan.name, questions, folder, answer_tokens, context.text), context.tokens
            general = ()
        model, adapter = self._model(cell)
        job = Job(
            model=model,
            adapter=adapter,
            choosing=str(tasks.choosing) if tasks.choosing else None,
            writing=str(tasks.writing) if tasks.writing else None,
            batch_size=plan.scoring.batch_size,
            dtype=plan.scoring.dtype,
            output=str(folder / "answers.json"),
        )
        start = time.monotonic()
        scores = score(job, questions, folder, general)
        shutil.rmtree(folder / "cache", ignore_errors=True)
        seconds = round(time.monotonic() - start, 1)
        own, others = scores[: len(questions)], scores[len(questions) :]
        done = replace(unscored, status="done", scores=own, general=_accuracies(others))
        return replace(done, context_tokens=tokens, scoring_seconds=seconds)

    def _model(self, cell: Cell) -> tuple[str, str | None]:
        """The model that a cell is scored with, and its adapter."""
        trained = str(self._folder(cell) / "model")
        if not cell.trains:
            return self._plan.model, None
        return (self._plan.model, trained) if self._plan.recipe.get("adapter") else (trained, None)

    def _folder(self, cell: Cell) -> Path:
        return self._out / "cells" / cell.name

    def _result(self, cells: Mapping[str, CellResult]) -> SuiteResult:
        plan = self._plan
        return SuiteResult(
            suite=plan.name,
            title=plan.title or plan.name,
            data=dict(plan.about),
            model=plan.model,
            machine=self._machine,
            versions={name: version(name) for name in _LIBRARIES},
            chance=plan.chance,
            cells=tuple(sorted(cells.values(), key=lambda c: (CONDITIONS.index(c.condition), c.splitting, c.seed))),
            prices=dict(plan.prices),
            match=plan.match,
        )


def _accuracies(scores: Sequence[Score]) -> dict[str, float]:
    """Return the accuracy in each general task, by its name."""
    by_task: dict[str, list[bool]] = {}
    for found in scores:
        by_task.setdefault(found.split, []).append(found.right)
    return {name: sum(right) / len(right) for name, right in by_task.items()}


def failed_lines(result: SuiteResult) -> list[str]:
    """Describe each failed cell in one line: the error and the log file."""
    return [f"{c.condition} seed {c.seed}: {c.failure}" for c in result.cells if c.status == "failed"]


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Hold the lock of the output folder."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = FileLock(out / ".lock").acquire(timeout=0)
    except Timeout:
        raise BenchError(f"{out}: another run writes to this folder; let it finish, or give another --out") from None
    except OSError as error:
        raise BenchError(f"{out}: cannot be written ({error.strerror}); give another --out") from error
    with lock:
        yield


def _teacher(plan: Plan) -> AbstractContextManager[Mapping[str, Any]]:
    """The `augft.teacher` block, with a running server if the teacher is the oracle."""
    if isinstance(plan.teacher, Mapping):
        return nullcontext(plan.teacher)
    asked = any(condition in plan.augment for condition in plan.conditions)
    return _oracle(plan) if asked else nullcontext({})


@contextmanager
def _oracle(plan: Plan) -> Iterator[Mapping[str, Any]]:
    from axolotl_augft.bench.datasets.dataset import load
    from axolotl_augft.bench.datasets.making import grammar_of
    from axolotl_augft.bench.oracle.server import OracleServer

    assert plan.data_folder is not None
    data = load(plan.data_folder)
    with OracleServer(data, grammar_of(data)) as server:
        yield server.teacher_block()


def _progress(cell: Cell, result: CellResult, known: bool, seconds: float) -> str:
    if result.status == "failed":
        return f"{cell.name}: FAILED, {result.failure}"
    return (
        f"{cell.name}: accuracy {result.accuracy:.3f} on {len(result.scores)} questions "
        f"({'done before' if known else f'{seconds:.0f} s'})"
    )
