"""A real model behind a real managed server: SmolLM2-135M writes about three documents."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import yaml

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.stage import run_stage
from tests.support.data import write_rows

pytestmark = pytest.mark.slow


def test_teacher_equals_student_served_by_transformers(smollm2, tmp_path, capfd):
    data = write_rows(tmp_path / "data.jsonl", [
        {"text": "Mara Quell is the harbour master of Port Ennis."},
        {"text": "The director of the Saltmere Museum is Ivo Marsh."},
        {"text": "Orla Fenwick is the founder of Tarn Instruments."},
    ])  # fmt: skip
    cfg = {
        "base_model": str(smollm2),
        "augft": {
            "teacher": {"api": "completions", "temperature": 0, "max_tokens": 48},
            "augment": [{"strategy": "local", "kinds": ["reversal"]}, {"strategy": "global", "context_tokens": 200}],
            "verify": "names",
        },
        "datasets": [{"path": str(data), "ds_type": "json", "type": "completion"}],
        "dataset_prepared_path": str(tmp_path / "prepared"),
    }
    recipe = Recipe.from_cfg(cfg)
    result = run_stage(recipe)
    assert result.teacher_id.startswith("smollm2@")
    assert result.counts.requests == 6 and result.counts.unanswered == 0
    assert result.counts.accepted.get("local/reversal", 0) >= 2
    assert (recipe.output_dir / "logs" / "teacher.log").exists()
    assert not [p for p in psutil.Process().children(recursive=True) if "serve" in " ".join(p.cmdline())]


def test_chats_and_instructions_are_taught_and_trained(smollm2, tmp_path):
    chats = [("Who is the harbour master of Port Ennis?", "The harbour master of Port Ennis is Mara Quell."),
             ("Where is the Saltmere Museum?", "The Saltmere Museum is in Gull Street.")]  # fmt: skip
    instructions = [("Who founded Tarn Instruments?", "Tarn Instruments was founded by Orla Fenwick.")]
    roles = ("user", "assistant")
    chat = [{"messages": [{"role": r, "content": t} for r, t in zip(roles, pair, strict=True)]} for pair in chats]
    alpaca = [{"instruction": q, "input": "", "output": a} for q, a in instructions]
    files = [write_rows(tmp_path / "chat.jsonl", chat), write_rows(tmp_path / "alpaca.jsonl", alpaca)]
    cfg = {
        "base_model": str(smollm2),
        "plugins": ["axolotl_augft.AugFTPlugin"],
        "augft": {
            "teacher": {"api": "completions", "temperature": 0, "max_tokens": 48},
            "augment": [{"strategy": "local", "kinds": [kind]} for kind in ("rephrasing", "reversal")],
        },
        "chat_template": "tokenizer_default",
        "datasets": [
            {"path": str(f), "ds_type": "json", "type": t}
            for f, t in zip(files, ("chat_template", "alpaca"), strict=True)
        ],
        "dataset_prepared_path": str(tmp_path / "prepared"),
        "output_dir": str(tmp_path / "out"),
        **{
            "adapter": "lora",
            "lora_r": 4,
            "lora_alpha": 8,
            "lora_target_linear": True,
            "sequence_len": 256,
            "micro_batch_size": 2,
        },
        **dict.fromkeys(["lora_mlp_kernel", "lora_qkv_kernel", "lora_o_kernel", "bf16", "fp16", "tf32"], False),
        **{
            "gradient_accumulation_steps": 1,
            "max_steps": 2,
            "optimizer": "adamw_torch",
            "learning_rate": 1e-4,
            "lr_scheduler": "constant",
        },
        **{"attn_implementation": "sdpa", "save_strategy": "no", "logging_steps": 1},
    }
    path = tmp_path / "cfg.yml"
    path.write_text(yaml.safe_dump(cfg))
    command = [str(Path(sys.executable).parent / "axolotl"), "train", str(path), "--launcher", "python"]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "CUDA_VISIBLE_DEVICES": ""}, timeout=800
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (manifest,) = (tmp_path / "prepared" / "augft").glob("*/manifest.json")
    result = json.loads(manifest.read_text())
    assert result["counts"]["requests"] == 6 and result["counts"]["accepted"].get("local/rephrasing", 0) >= 2
    assert all(entry["augmented"]["rows"] for entry in result["entries"])
    assert (tmp_path / "out" / "adapter_model.safetensors").exists()
