"""Every example recipe says when to use it, has only keys known to axolotl, validates on its GPUs, passes the stage."""

import re
from pathlib import Path

import pytest
import yaml
from axolotl.utils.dict import DictDefault

from axolotl_augft.config.plugin_line import require_plugin
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.plugin import apply_result
from axolotl_augft.stage import run_stage
from tests.support.axolotl_schema import dropped_keys, validated

FOLDER = Path(__file__).parents[2] / "example_configs"
FILES = sorted(FOLDER.glob("*.yml"))
EIGHT = {"n_gpu": 8}
GPUS = {"full-fsdp2": EIGHT, "full-zero3": EIGHT, "multi-node": {"n_gpu": 8, "n_node": 2}}
CPU = {"bf16": False, "tf32": False, "n_gpu": 0, "compute_capability": None}
each = pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)


def gpus(file: Path) -> dict:
    return CPU if file.stem.endswith("-cpu") else GPUS.get(file.stem, {})


@each
def test_axolotl_takes_it_on_the_gpus_it_is_for(file, monkeypatch):
    monkeypatch.chdir(FOLDER.parent)
    cfg = yaml.safe_load(file.read_text())
    require_plugin(cfg)
    assert dropped_keys(cfg) == []
    result = validated(cfg, **gpus(file))
    assert Recipe.from_cfg(result).key == Recipe.from_cfg(cfg).key
    assert all(Path(entry["path"]).exists() for entry in result.datasets)


@each
def test_three_lines_say_when_to_take_it(file):
    lines = file.read_text().splitlines()
    assert (
        lines[0].startswith("# Take it ")
        and all(line.startswith("# ") for line in lines[1:3])
        and lines[3].startswith("base_model:")
    )
    assert all((FOLDER / name).exists() for name in re.findall(r"[\w-]+\.(?:yml|jsonl)", file.read_text()))


WRONG = [
    ("packed", ("lora_rank",), 8),
    ("full-fsdp2", ("fsdp_config", "offload_parameters"), False),
    ("documents-qlora", ("datasets", 0, "filed"), "text"),
    ("chat-lora-endpoint", ("datasets", 0, "field_chosen"), "messages"),
    ("packed", ("special_tokens", "pad_tokn"), "<pad>"),
]


@pytest.mark.parametrize(("stem", "path", "value"), WRONG, ids=[str(path[-1]) for _, path, _ in WRONG])
def test_a_key_that_axolotl_would_drop_is_found(stem, path, value):
    cfg = yaml.safe_load((FOLDER / f"{stem}.yml").read_text())
    block = cfg
    for step in path[:-1]:
        block = block.setdefault(step, {}) if isinstance(block, dict) else block[step]
    block[path[-1]] = value
    assert dropped_keys(cfg) == [".".join(step for step in path if isinstance(step, str))]


# What becomes of each recipe's entries. handbook.jsonl has 48 rows, support.jsonl 24.
DOCUMENTS = [("completion", "original"), ("completion", "augmented")]
CHATS = [("chat_template", "original"), ("chat_template", "augmented")]
BECOMES = {
    "smollm2-staff-lora-cpu": DOCUMENTS,
    "chat-lora-endpoint": CHATS,
    "smollm2-support-chat-lora-cpu": CHATS,
    "documents-and-chats": [*DOCUMENTS, ("chat_template", "questions"), *CHATS],
}


@each
def test_the_stage_runs(file, cfg, tmp_path, monkeypatch):
    monkeypatch.chdir(FOLDER.parent)
    recipe = yaml.safe_load(file.read_text())
    local = {key: cfg[key] for key in ("base_model", "dataset_prepared_path", "output_dir")}
    recipe |= {**local, "augft": {**recipe["augft"], **cfg["augft"], "verify": "none"}}
    raw = DictDefault(recipe)
    read = Recipe.from_cfg(raw)
    result = run_stage(read)
    assert {k.split("/")[0] for k in result.counts.accepted} == {
        entry["strategy"] for entry in recipe["augft"]["augment"]
    }
    assert not result.counts.unanswered and not result.counts.problems
    apply_result(raw, read, result)
    written = [(e["type"], re.sub(r"^(?:\d+-)?(\w+)\.parquet$", r"\1", Path(e["path"]).name)) for e in raw.datasets]
    assert written == BECOMES.get(file.stem, [*DOCUMENTS, ("completion", "replay")])
    assert raw.val_set_size == 0 and sum(e.held_out.rows for e in result.entries if e.held_out) > 0
