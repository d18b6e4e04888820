"""`benchmarks/gpu/check.sh` as far as it goes without a GPU, and its recipes on the GPU they are for."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from axolotl_augft.config.recipe import Recipe
from tests.support.axolotl_schema import dropped_keys, validated

FOLDER = Path(__file__).parents[2] / "benchmarks" / "gpu"
recipe = runpy.run_path(str(FOLDER / "recipe.py"))["recipe"]


def check(*arguments: object) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "CUDA_VISIBLE_DEVICES": ""}
    command = [str(FOLDER / "check.sh"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)


@pytest.mark.parametrize("kind", ["qlora", "fsdp2", "teacher"])
def test_axolotl_takes_its_recipes_on_a_gpu(kind, tmp_path):
    cfg = recipe(kind, str(tmp_path / "model"), tmp_path, gpu=True)
    assert dropped_keys(cfg) == []
    result = validated(cfg)
    assert (result.bf16, result.tf32, bool(result.load_in_4bit)) == (True, True, kind == "qlora")
    assert result.output_dir == str(tmp_path / kind)
    Recipe.from_cfg(cfg)


def test_what_distinguishes_its_recipes(tmp_path):
    qlora, fsdp2, teacher = (recipe(kind, "m", tmp_path, gpu=True) for kind in ("qlora", "fsdp2", "teacher"))
    assert (qlora["adapter"], "adapter" in fsdp2) == ("qlora", False)
    assert fsdp2["fsdp_config"]["transformer_layer_cls_to_wrap"] == "LlamaDecoderLayer"
    assert [e["strategy"] for e in teacher["augft"]["augment"]] == ["local", "global"]
    assert "serve_args" not in qlora["augft"]["teacher"] and "lora_mlp_kernel" not in qlora
    on_a_cpu = recipe("qlora", "m", tmp_path, gpu=False)
    assert (on_a_cpu["bf16"], on_a_cpu["lora_mlp_kernel"]) == (False, False)


def test_an_unknown_step_is_refused():
    done = check("trian")
    assert (done.returncode, done.stderr[:45]) == (2, "check.sh: unknown option or step: trian (see ")


def test_each_step_says_what_it_skips(tmp_path):
    steps = ("install", "model", "resume", "fsdp2", "suites")
    done = check("--model", tmp_path, "--out", tmp_path / "out", *steps)
    assert done.returncode == 0, done.stderr
    said = [line.split(" ", 1)[1] for line in (tmp_path / "out" / "summary.txt").read_text().splitlines()]
    assert said == [
        f"check on a CPU, 14 minutes for: {' '.join(steps)}",
        "install: skipped, no --wheels given; what is installed is used",
        f"model: {tmp_path} is given",
        f"resume: skipped, there is no checkpoint in {tmp_path}/out/qlora; run the step qlora",
        f"fsdp2: training is skipped, there is no GPU; the recipe is in {tmp_path}/out/fsdp2.yml",
        "suites: the paper-scale suites are skipped, there is no GPU",
        said[-1],
    ]
    assert said[-1].endswith(f"figures in {tmp_path}/out/summary.txt")


def test_a_step_without_time_says_so(tmp_path):
    check("--model", tmp_path, "--out", tmp_path / "out", "--minutes", 0, "memory")
    assert "memory: skipped, no time left" in (tmp_path / "out" / "summary.txt").read_text()
