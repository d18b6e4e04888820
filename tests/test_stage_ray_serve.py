"""The stage with its teacher on Ray Serve: started, asked, a replica lost in the middle, gone before training."""

import importlib.util
import os
import sys
from pathlib import Path

import psutil
import pytest

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.output.manifest import load_record
from axolotl_augft.stage import run_stage
from tests.support.data import write_rows

ROOT = Path(__file__).parents[1]
pytestmark = [
    pytest.mark.slow,
    # Only ray[serve] brings this package.
    pytest.mark.skipif(
        importlib.util.find_spec("grpc_reflection") is None,
        reason="no Ray Serve here; install 'ray[serve]' (with axolotl 0.21 and Python 3.12) to run this test",
    ),
]
CONCURRENCY = 4


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_teacher_on_ray_serve_loses_a_replica_and_no_answer(cfg, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("RAY_TEACHER_LOG", str(tmp_path / "asked.jsonl"))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    rows = write_rows(tmp_path / "rows.jsonl", [{"text": f"Pump {n} is in hall {n}."} for n in range(24)])
    cfg["datasets"][0]["path"] = str(rows)
    cfg["augft"] = {
        "teacher": {
            "backend": "ray",
            "ray_app": "tests.support.ray_teacher_app:build",
            "model": "scripted",
            "api": "chat",
            "max_concurrency": CONCURRENCY,
        },
        "augment": [{"strategy": "local", "kinds": ["reversal"]}],
    }
    recipe = Recipe.from_cfg(cfg)
    result = run_stage(recipe)
    assert [pid for pid in map(int, (tmp_path / "processes").read_text().split()) if alive(pid)] == []
    assert (tmp_path / "killed").exists(), "a replica was lost in the middle"
    asked = (tmp_path / "asked.jsonl").read_text().splitlines()
    assert result.counts.unanswered == 0 and result.counts.accepted["local/reversal"] == 24
    assert sum(load_record(recipe).run.failed_tries.values()) >= 1
    assert len(set(asked)) == 24 and len(asked) <= 24 + CONCURRENCY, "only what was under way was asked again"
    cfg["augft"]["max_augmented_per_original"] = 1
    run_stage(Recipe.from_cfg(cfg))
    assert (tmp_path / "asked.jsonl").read_text().splitlines() == asked, "every answer was stored"
