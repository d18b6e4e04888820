"""A cell's recipe -> a trained model: the stage, then `axolotl train` in a process of its own.

Nothing of our own trains.
"""

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
from axolotl_augft.judging.verify import Verifier
from axolotl_augft.output.manifest import load_record, load_result
from axolotl_augft.output.summary import training_loads
from axolotl_augft.stage import prepared, run_stage

RECIPE = "recipe.yml"
LOG_FILE = "train.log"
_LOGGED = re.compile(r"\{'(?:loss|train_runtime)'.*?\}")
_ERROR_LINE = re.compile(r"(augft: error: |error: |[\w.]*(Error|Exception|Interrupt|Exit)\b)")


@dataclass(frozen=True)
class StageAnswers:
    """What the stage asked now for a cell: answers, the tokens of answers, and the seconds it took."""

    requests: int
    completion_tokens: int
    seconds: float


@dataclass(frozen=True)
class Augmented:
    """A cell's data after the stage: rows of one epoch, and what the teacher was asked for them (None: there is no teacher)."""

    original_rows: int
    augmented_rows: int
    use: TeacherUse | None
    asked: StageAnswers | None


def augment(cfg: Mapping[str, Any]) -> Augmented:
    """Runs the stage of a cell's recipe, whose result `axolotl train` then finds.

    Raises:
        AugftError: As the stage.
    """
    recipe = Recipe.from_cfg(cfg)
    run_stage(recipe)
    result, record = load_result(recipe), load_record(recipe)
    assert result is not None and record is not None
    loads = training_loads(result, recipe)
    if not recipe.augft.augment:
        return Augmented(loads.originals.rows, 0, None, None)
    run = record.run
    asked = StageAnswers(run.asked, run.usage.completion_tokens or 0, run.seconds)
    return Augmented(loads.originals.rows, loads.augmented.rows, _stored_use(recipe), asked)


def _stored_use(recipe: Recipe) -> TeacherUse:
    """Counts over all stored answers to a recipe's requests, whichever cell asked them. `seconds` is left open."""
    from axolotl_augft.judging.pipeline import judged_inferences

    with prepared(recipe) as ready:
        requests = {r.key: r for r in ready.requests()}
        if recipe.augft.verify == "teacher":
            judged = judged_inferences(ready.tasks, ready.store, recipe.augft)
            requests |= {r.key: r for r in Verifier(ready.teacher).requests(judged)}
        answers = [a for a in ready.store.get(list(requests.values())) if a is not None]
        read = sum(a.prompt_tokens or 0 for a in answers)
        written = sum(a.completion_tokens or 0 for a in answers)
        return TeacherUse(ready.teacher.id, len(requests), read, written, None)


def train(cfg: Mapping[str, Any], folder: Path, rows: Augmented) -> TrainingUse:
    """Trains a cell's recipe with `axolotl train`; its output goes to `train.log`.

    `TrainingUse.tokens` is axolotl's own count of trained tokens (`tokens/trainable` of its log: labels that are not
    masked). Padding is not in it, nor is the unlabelled context of cumulative sentence splitting. `seconds` are the
    trainer's, without loading.

    Raises:
        BenchError: Training failed; the last meaningful line of its log.
    """
    path, log = folder / RECIPE, folder / LOG_FILE
    write_text(path, yaml.safe_dump(dict(cfg), sort_keys=False))
    command = [str(Path(sys.executable).parent / "axolotl"), "train", str(path), "--launcher", "python"]
    # A benchmark is nobody's everyday training, and without network the upload of telemetry keeps a finished process
    # from ending.
    code = run_logged(command, log, {"AXOLOTL_DO_NOT_TRACK": "1"})
    if code:
        raise BenchError(f"training failed ({_ending(code)}): {last_meaningful_line(log)}")
    logged = _logged_values(log)
    tokens = [int(values["tokens/trainable"]) for values in logged if "tokens/trainable" in values]
    seconds = [float(values["train_runtime"]) for values in logged if "train_runtime" in values]
    if not seconds:
        raise BenchError("training ended without a word on its run time, so it did not finish; see the log")
    batch = int(cfg.get("micro_batch_size") or 1) * int(cfg.get("gradient_accumulation_steps") or 1)
    return TrainingUse(
        cfg["max_steps"],
        batch,
        rows.original_rows,
        rows.augmented_rows,
        tokens[-1] if tokens else None,
        round(seconds[-1], 1),
    )


def run_logged(command: list[str], log: Path, environment: Mapping[str, str]) -> int:
    """Runs a command with its output in a file; returns its exit code.

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
    """The last line of a log that names an error; without one, the last that is no progress bar."""
    lines = [line.split("\r")[-1].rstrip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    lines = [line for line in lines if line.strip() and "it/s]" not in line and "s/it]" not in line]
    named = [line for line in lines if _ERROR_LINE.match(line)]
    last = (named or lines or ["its log is empty"])[-1].strip()
    return last if len(last) <= 300 else last[:297] + "..."


def _ending(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"


def _logged_values(log: Path) -> list[dict[str, Any]]:
    """What the trainer printed, one dict a logged step."""
    return [ast.literal_eval(found[0]) for found in _LOGGED.finditer(log.read_text(encoding="utf-8", errors="replace"))]


def augment_or_count(cfg: Mapping[str, Any], rows: int) -> Augmented:
    """Runs the stage where the recipe has an `augft:` block; else `rows` are trained on as they are.

    Raises:
        BenchError: The stage failed; its one line.
    """
    if not cfg.get("augft"):
        return Augmented(rows, 0, None, None)
    try:
        return augment(cfg)
    except AugftError as error:
        raise BenchError(f"augmentation failed: {error}") from error
