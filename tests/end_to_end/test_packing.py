"""Rows that share a packed sequence do not see each other: a source row never has what was written about it in view."""

import json
import os
import subprocess
import sys

import pytest
import yaml

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.stage import run_stage

pytestmark = pytest.mark.slow
VARIANTS = {
    "sdpa": {"attn_implementation": "sdpa", "augft": {"sentence_splitting": "cumulative"}},
    "eager": {"attn_implementation": "eager", "micro_batch_size": 1},
    "unset": {"attn_implementation": None},
}


@pytest.fixture
def found(cfg, tmp_path):
    """What a row's logits change by in a pack, for each variant."""
    recipes = {}
    for name, change in VARIANTS.items():
        augft = {**cfg["augft"], "augment": ["local", "global"], **change.get("augft", {})}
        made = {
            **cfg,
            "sample_packing": True,
            "dataset_num_proc": 1,
            "dataset_prepared_path": str(tmp_path / name),
            **change,
            "augft": augft,
        }
        recipes[str(tmp_path / f"{name}.yml")] = name
        (tmp_path / f"{name}.yml").write_text(yaml.safe_dump({k: v for k, v in made.items() if v is not None}))
        run_stage(Recipe.from_cfg(made))
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.packed_logits", *recipes],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        timeout=560,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return {recipes[path]: value for path, value in json.loads(done.stdout.splitlines()[-1]).items()}, done


def test_rows_of_a_pack_do_not_see_each_other(found):
    packs, done = found
    for name in ("sdpa", "eager"):
        assert max(packs[name]["rows"]) > 3 and packs[name]["changed"] < 1e-4, name
    assert packs["unset"]["changed"] > 1e-2
    warning = "augft: sample_packing without attn_implementation lets the rows of a sequence see each other"
    assert (done.stdout + done.stderr).count(warning) == 1
