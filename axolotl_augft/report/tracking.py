"""Finished result -> the stage's figures in the run of an experiment tracker, beside the training's own.

The plugin adds `TrackingCallback` to the trainer. The trainer's own integrations run before it and start the run of
each tracker that the recipe logs to: wandb, mlflow, comet, trackio, swanlab, tensorboard. The callback adds the figures
and a table of samples. It imports no tracker that is not in use.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import chain, islice
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.output.manifest import Manifest, load_record, result_folder
from axolotl_augft.output.summary import training_loads
from axolotl_augft.report.reviewed import read_statements
from axolotl_augft.store.run_record import RunRecord

_SAMPLES = 20
COLUMNS = ("kept", "kind", "reason", "probability", "statement")


@dataclass(frozen=True)
class Tracked:
    """What goes to a tracker.

    Attributes:
        figures: Numbers by name, each below `augft/`.
        samples: Rows of a table of statements, with `COLUMNS`.
    """

    figures: dict[str, float]
    samples: tuple[tuple[str, ...], ...]

    @property
    def markdown(self) -> str:
        """The table of samples as Markdown, in which no statement can break a row."""
        rows = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in (COLUMNS, *self.samples)]
        rows.insert(1, ["---"] * len(COLUMNS))
        return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def tracked(recipe: Recipe, manifest: Manifest) -> Tracked:
    """Collect the figures and samples of a result.

    Args:
        recipe: The recipe.
        manifest: Its result.
    """
    counts, record = manifest.counts, load_record(recipe)
    usage = (record.run if record else RunRecord()).all_runs
    kept, rejected = sum(counts.accepted.values()), sum(counts.rejected.values())
    loads = training_loads(manifest, recipe)
    precision = manifest.verification.precision if manifest.verification else None
    figures: dict[str, float | None] = {
        "documents": counts.documents,
        "requests": counts.requests,
        "unanswered": counts.unanswered,
        "kept": kept,
        "rejected": rejected,
        "kept_share": kept / max(kept + rejected, 1),
        "precision": precision,
        "rows_before": loads.before.rows,
        "rows_after": loads.after.rows,
        "tokens_augmented": loads.augmented.tokens,
        "teacher_tokens_in": usage.prompt_tokens,
        "teacher_tokens_out": usage.completion_tokens,
        "dollars": usage.dollars,
        # No name may continue another after a slash: mlflow keeps metrics in files and folders of their names.
        **{f"kept_by_kind/{kind}": n for kind, n in counts.accepted.items()},
        **{f"rejected_by_reason/{reason}": n for reason, n in counts.rejected.items()},
    }
    known = {f"augft/{name}": value for name, value in figures.items() if value is not None}
    return Tracked(known, tuple(_samples(recipe, manifest)))


def _samples(recipe: Recipe, manifest: Manifest) -> Iterator[tuple[str, ...]]:
    """Yield the first kept and the first rejected statements of the result."""
    found = read_statements(result_folder(recipe, manifest.fingerprint), manifest.entries, recipe.datasets)
    for s in chain.from_iterable(islice(statements, _SAMPLES) for statements in found):
        p = "" if s.probability is None else f"{s.probability:.2f}"
        yield "no" if s.reason else "yes", s.kind, s.reason or "", p, s.pair


class TrackingCallback(TrainerCallback):
    """Sends the figures once, as training begins, from the main process only.

    Args:
        tracked: What to send.
    """

    def __init__(self, tracked: Tracked) -> None:
        self._tracked = tracked

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Send the figures to the run of each tracker that has one."""
        if not state.is_world_process_zero:
            return
        for name, send in _TRACKERS.items():
            if (module := sys.modules.get(name)) is not None:
                send(module, self._tracked)
        if "tensorboard" in args.report_to:
            _tensorboard(args, self._tracked)


def _wandb(wandb: Any, tracked: Tracked) -> None:
    if wandb.run is not None:
        wandb.run.summary.update(tracked.figures)
        wandb.run.log(
            {"augft/samples": wandb.Table(columns=list(COLUMNS), data=[list(row) for row in tracked.samples])}
        )


def _mlflow(mlflow: Any, tracked: Tracked) -> None:
    if mlflow.active_run() is not None:
        mlflow.log_metrics(tracked.figures)
        mlflow.log_table(dict(zip(COLUMNS, map(list, _by_column(tracked)), strict=True)), "augft_samples.json")


def _comet(comet: Any, tracked: Tracked) -> None:
    experiment = comet.get_running_experiment()
    if experiment is not None:
        experiment.log_metrics(tracked.figures)
        experiment.log_table("augft_samples.csv", [list(row) for row in tracked.samples], list(COLUMNS))


def _trackio(trackio: Any, tracked: Tracked) -> None:
    if trackio.context_vars.current_run.get() is not None:
        frame = import_module("pandas").DataFrame(tracked.samples, columns=list(COLUMNS))
        table = trackio.Table(dataframe=frame)
        trackio.log({**tracked.figures, "augft/samples": table})


def _swanlab(swanlab: Any, tracked: Tracked) -> None:
    if swanlab.get_run() is not None:
        swanlab.log({**tracked.figures, "augft/samples": swanlab.Text(tracked.markdown)})


_TRACKERS: dict[str, Callable[[Any, Tracked], None]] = {
    "wandb": _wandb,
    "mlflow": _mlflow,
    "comet_ml": _comet,
    "trackio": _trackio,
    "swanlab": _swanlab,
}


def _tensorboard(args: Any, tracked: Tracked) -> None:
    """Write into the folder of the trainer's own writer, which makes it one run.

    The trainer does not hand out its writer, but has just begun its file.
    """
    from torch.utils.tensorboard import SummaryWriter

    begun = sorted(_event_files(args), key=lambda file: file.stat().st_mtime_ns)
    if not begun:
        return
    with SummaryWriter(log_dir=str(begun[-1].parent), filename_suffix=".augft") as writer:
        for name, value in tracked.figures.items():
            writer.add_scalar(name, value, 0)
        writer.add_text("augft/samples", tracked.markdown, 0)


def _event_files(args: Any) -> Sequence[Path]:
    named = os.environ.get("TENSORBOARD_LOGGING_DIR") or getattr(args, "logging_dir", None)
    folder = Path(named).expanduser() if named else Path(args.output_dir) / "runs"
    return list(folder.rglob("events.out.tfevents.*"))


def _by_column(tracked: Tracked) -> Iterator[Sequence[str]]:
    return zip(*tracked.samples, strict=True) if tracked.samples else iter([()] * len(COLUMNS))
