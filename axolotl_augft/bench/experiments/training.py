"""A cell's recipe -> a trained model: the augmentation stage, then `axolotl train` in a child process."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from axolotl_augft.bench.report.output import write_text
from axolotl_augft.bench.report.results import TeacherUse, TrainingUse
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import AugftError, BenchError
from axolotl_augft.output.manifest import Load, load_record, load_result
from axolotl_augft.output.summary import training_loads
from axolotl_augft.prepared import prepared
from axolotl_augft.stage import run_stage

RECIPE = "recipe.yml"
LOG_FILE = "train.log"
_LOGGED = re.compile(r"\{'(?:loss|train_runtime)'.*?\}")
_ERROR_LINE = re.compile(r"(augft: error: |error: |[\w.]*(Error|Exception|Interrupt|Exit)\b)")


@dataclass(frozen=True)
class StageAnswers:
    """The requests that the stage sent for a cell in this run.

    Attributes:
        requests: Number of requests.
        completion_tokens: Tokens of their answers.
        seconds: Time they took.
    """

    requests: int
    completion_tokens: int
    seconds: float


@dataclass(frozen=True)
class Augmented:
    """A cell's data after the stage.

    Attributes:
        original: Source rows and form rows of an epoch.
        augmented: Augmentations of an epoch.
        use: The teacher's work over all stored answers; None without augmentation.
        asked: The teacher's work in this run; None without augmentation, or if a probed student was asked, too, whose
            time cannot be told from the teacher's.
    """

    original: Load
    augmented: Load
    use: TeacherUse | None
    asked: StageAnswers | None


def augment(cfg: Mapping[str, Any]) -> Augmented:
    """Run the stage on a cell's recipe; `axolotl train` then reuses its result.

    Raises:
        AugftError: The stage failed.
    """
    recipe = Recipe.from_cfg(cfg)
    run_stage(recipe)
    result, record = load_result(recipe), load_record(recipe)
    assert result is not None and record is not None
    loads = training_loads(result, recipe)
    if not recipe.augft.augment:
        return Augmented(loads.originals, loads.augmented, None, None)
    run = record.run
    asked = StageAnswers(run.asked, run.usage.completion_tokens or 0, run.seconds)
    return Augmented(loads.originals, loads.augmented, _stored_use(recipe), None if recipe.augft.probe else asked)


def steps_of_as_many_epochs(steps: int, source: Load, cell: Augmented, packed: bool) -> int:
    """Steps in which a cell sees the source rows as often as plain fine-tuning does in `steps`.

    Args:
        steps: Steps of plain fine-tuning.
        source: The source rows of an epoch.
        cell: The cell's data.
        packed: Whether several rows share a sequence, so that tokens count; otherwise rows do.
    """
    epoch = cell.original + cell.augmented
    longer = epoch.tokens / source.tokens if packed else epoch.rows / source.rows
    return round(steps * longer)


def _stored_use(recipe: Recipe) -> TeacherUse:
    """Count all stored answers of the teacher to a recipe's requests, whichever cell sent them, without their time."""
    with prepared(recipe) as ready:
        requests = {r.key: r for r in ready.requests_for_statements()}
        answers = [a for a in ready.store.get(list(requests.values())) if a is not None]
        read = sum(a.prompt_tokens or 0 for a in answers)
        written = sum(a.completion_tokens or 0 for a in answers)
        return TeacherUse(ready.teacher.id, len(requests), read, written, None)


def train(cfg: Mapping[str, Any], folder: Path, rows: Augmented) -> TrainingUse:
    """Train a cell's recipe with `axolotl train`, with its output in `train.log`.

    `TrainingUse.tokens` is axolotl's own count of trained tokens (`tokens/trainable` in its log: labels that are not
    masked). It includes neither padding nor the unlabelled context of cumulative sentence splitting. `seconds` is the
    trainer's run time, without loading.

    Raises:
        BenchError: Training failed; the message has the last meaningful line of its log.
    """
    path, log = folder / RECIPE, folder / LOG_FILE
    write_text(path, yaml.safe_dump(dict(cfg), sort_keys=False))
    # Not the command `axolotl`: packages installed into a folder of their own put it elsewhere.
    command = [sys.executable, "-m", "axolotl.cli.main", "train", str(path), "--launcher", "python"]
    # Benchmarks would distort axolotl's telemetry, and without a network its upload keeps a finished process alive.
    code = run_logged(command, log, {"AXOLOTL_DO_NOT_TRACK": "1"})
    if code:
        raise BenchError(f"training failed ({_ending(code)}): {last_meaningful_line(log)}")
    logged = _logged_values(log)
    tokens = [int(values["tokens/trainable"]) for values in logged if "tokens/trainable" in values]
    seconds = [float(values["train_runtime"]) for values in logged if "train_runtime" in values]
    if not seconds:
        raise BenchError("training ended without reporting its run time, so it did not finish; see the log")
    batch = int(cfg.get("micro_batch_size") or 1) * int(cfg.get("gradient_accumulation_steps") or 1)
    return TrainingUse(
        cfg["max_steps"],
        batch,
        rows.original.rows,
        rows.augmented.rows,
        tokens[-1] if tokens else None,
        round(seconds[-1], 1),
    )


def run_logged(command: list[str], log: Path, environment: Mapping[str, str]) -> int:
    """Run a command with its output in a file, and return its exit code.

    Raises:
        BenchError: There is no such command.
    """
    try:
        with log.open("wb") as output:
            env = {**os.environ, **environment}
            return subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=env
            ).returncode
    except FileNotFoundError:
        raise BenchError(f"{command[0]}: no such command; install axolotl into this environment") from None


def last_meaningful_line(log: Path) -> str:
    """Find the last line of a log that names an error, or else the last one that is not a progress bar."""
    lines = [line.split("\r")[-1].rstrip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    lines = [line for line in lines if line.strip() and "it/s]" not in line and "s/it]" not in line]
    named = [line for line in lines if _ERROR_LINE.match(line)]
    last = (named or lines or ["its log is empty"])[-1].strip()
    return last if len(last) <= 300 else last[:297] + "..."


def _ending(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"


def _logged_values(log: Path) -> list[dict[str, Any]]:
    """Parse the values that the trainer logged, one dict per logged step."""
    return [ast.literal_eval(found[0]) for found in _LOGGED.finditer(log.read_text(encoding="utf-8", errors="replace"))]


def augment_or_count(cfg: Mapping[str, Any], plain: Load) -> Augmented:
    """Run the stage if the recipe has an `augft:` block; otherwise the `plain` rows are trained on unchanged.

    Raises:
        BenchError: The stage failed; the message has its one line.
    """
    if not cfg.get("augft"):
        return Augmented(plain, Load(0, 0), None, None)
    try:
        return augment(cfg)
    except AugftError as error:
        raise BenchError(f"augmentation failed: {error}") from error
