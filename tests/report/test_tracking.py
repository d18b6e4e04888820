"""The stage's figures in experiment trackers: in real files of theirs, written by a real training, offline."""

import inspect
import json
import os
import re
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.plugin import AugFTPlugin
from axolotl_augft.report.tracking import Tracked, TrackingCallback, tracked
from axolotl_augft.stage import run_stage

BIN = Path(sys.executable).parent


def test_figures_and_samples_of_a_result(cfg):
    cfg["augft"]["augment"] = ["local"]
    recipe = Recipe.from_cfg(cfg)
    manifest = run_stage(recipe)
    found = tracked(recipe, manifest)
    kept = sum(manifest.counts.accepted.values())
    assert found.figures["augft/documents"] == 6 and found.figures["augft/kept"] == kept
    assert found.figures["augft/kept_by_kind/local/reversal"] == manifest.counts.accepted["local/reversal"]
    assert found.figures["augft/rows_after"] == 6 + kept and "augft/precision" not in found.figures
    folders = {name.rsplit("/", n)[0] for name in found.figures for n in range(1, name.count("/") + 1)}
    assert not folders & set(found.figures)  # mlflow's file store could keep only one of two such names
    assert found.samples[0] == (
        *("yes", "rephrasing", "", ""),
        "In other words, Mara Quell is the harbour master of Port Ennis.",
    )


def test_markdown_keeps_a_statement_in_its_cell():
    lines = Tracked({}, (("no", "trace", "echo", "0.25", "a | b\nc"),)).markdown.splitlines()
    assert lines[1:] == ["| --- | --- | --- | --- | --- |", "| no | trace | echo | 0.25 | a \\| b c |"]


def test_a_plugin_that_made_no_result_adds_no_callback(cfg):
    assert AugFTPlugin().add_callbacks_pre_trainer(cfg, None) == []


def test_only_the_main_process_sends():
    class Refuses:
        def __getattr__(self, name):
            raise AssertionError(f"asked for {name}")

    state = SimpleNamespace(is_world_process_zero=False)
    TrackingCallback(Tracked({}, ())).on_train_begin(Refuses(), state, None)


@pytest.mark.slow
@pytest.mark.parametrize("tracker", ["tensorboard", "trackio", "wandb", "mlflow"])
def test_a_training_s_run_holds_the_figures(cfg, tmp_path, tracker):
    if find_spec(tracker) is None:
        pytest.skip(f"{tracker} is not installed")
    cfg["augft"]["augment"] = ["local"]
    if tracker == "trackio" and "bucket_id" not in inspect.signature(import_module(tracker).init).parameters:
        pytest.skip("this trackio is older than transformers' integration of it needs")
    named = {"wandb": "wandb_project", "trackio": "trackio_project_name", "mlflow": "mlflow_experiment_name"}
    cfg |= {f"use_{tracker}": True, **({named[tracker]: "p"} if tracker in named else {})}
    path = tmp_path / "cfg.yml"
    path.write_text(yaml.safe_dump(cfg))
    environment = {
        "WANDB_MODE": "offline",
        "WANDB_DIR": str(tmp_path),
        "TRACKIO_DIR": str(tmp_path / "trackio"),
        "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db",
        "CUDA_VISIBLE_DEVICES": "",
    }
    command = [str(BIN / "axolotl"), "train", str(path), "--launcher", "python"]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    figures, samples = {"tensorboard": _tensorboard, "trackio": _trackio, "wandb": _wandb, "mlflow": _mlflow}[tracker](
        tmp_path
    )
    assert figures["augft/documents"] == 6 and figures["augft/kept_by_kind/local/reversal"] > 0
    assert "Mara Quell is the harbour master of Port Ennis" in samples


def _tensorboard(folder: Path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (run,) = {file.parent for file in folder.rglob("events.out.tfevents.*")}
    events = EventAccumulator(str(run), size_guidance={"scalars": 0, "tensors": 0})
    events.Reload()
    tags = events.Tags()
    assert "train/loss" in tags["scalars"]
    text = events.Tensors("augft/samples/text_summary")[0].tensor_proto.string_val[0].decode()
    return {tag: events.Scalars(tag)[0].value for tag in tags["scalars"]}, text


def _trackio(folder: Path):
    import sqlite3

    # One file a project; transformers names the project itself where axolotl does not hand its name on.
    (file,) = (folder / "trackio").glob("*.db")
    with sqlite3.connect(file) as db:
        logged = [json.loads(row[0]) for row in db.execute("SELECT metrics FROM metrics")]
    figures = {k: v for entry in logged for k, v in entry.items()}
    assert "train/loss" in figures
    stored = "".join(f.read_bytes().decode(errors="replace") for f in (folder / "trackio").rglob("*") if f.is_file())
    return figures, stored


def _wandb(folder: Path):
    (file,) = folder.rglob("run-*.wandb")
    # A log of protobuf records: a key, then the tag and the length of a number's JSON.
    found = re.findall(rb"(augft/[a-z_/]+)\x82\x01.([0-9.]+)", file.read_bytes(), re.DOTALL)
    (table,) = folder.rglob("*.table.json")
    return {name.decode(): float(value) for name, value in found}, table.read_text()


def _mlflow(folder: Path):
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    (run,) = mlflow.search_runs(search_all_experiments=True, output_format="list")
    text = "".join(f.read_text() for f in folder.rglob("augft_samples.json"))
    return run.data.metrics, text
