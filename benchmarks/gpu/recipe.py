"""The demo's recipe -> a recipe for a check on a GPU: QLoRA, full training with FSDP2, or teaching alone.

Usage: python benchmarks/gpu/recipe.py KIND MODEL FOLDER [--steps N] [--deepspeed] [--resume CHECKPOINT]

KIND is qlora, fsdp2 or teacher; the recipe is printed. Everything that it makes lies in FOLDER. Without a GPU it leaves
out what needs one.
"""

import argparse
from pathlib import Path
from typing import Any

import torch
import yaml

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "example_configs" / "smollm2-staff-lora-cpu.yml"
FSDP2 = ROOT / "example_configs" / "full-fsdp2.yml"
_CPU_ONLY = ("lora_mlp_kernel", "lora_qkv_kernel", "lora_o_kernel")
_ADAPTER = ("adapter", "lora_r", "lora_alpha", "lora_dropout", "lora_target_linear")


def recipe(kind: str, model: str, folder: Path, gpu: bool) -> dict[str, Any]:
    """Build a recipe of the demo's data.

    Args:
        kind: qlora, fsdp2 or teacher.
        model: Folder or hub name of the model, which is teacher and student.
        folder: Where results go.
        gpu: Whether there is a GPU.
    """
    cfg: dict[str, Any] = yaml.safe_load(DEMO.read_text())
    cfg |= {"base_model": model, "dataset_prepared_path": str(folder / "prepared"), "output_dir": str(folder / kind)}
    cfg["datasets"] = [{**entry, "path": str(ROOT / entry["path"])} for entry in cfg["datasets"]]
    if gpu:
        cfg = {k: v for k, v in cfg.items() if k not in _CPU_ONLY} | {"bf16": True, "tf32": True}
        del cfg["augft"]["teacher"]["serve_args"]
    if kind == "qlora":
        cfg |= {"adapter": "qlora", "load_in_4bit": True}
    elif kind == "fsdp2":
        sharded = yaml.safe_load(FSDP2.read_text())["fsdp_config"]
        cfg = {k: v for k, v in cfg.items() if k not in _ADAPTER}
        cfg |= {"fsdp_version": 2, "fsdp_config": {**sharded, "transformer_layer_cls_to_wrap": "LlamaDecoderLayer"}}
    else:
        cfg["augft"]["augment"].append({"strategy": "global", "context_tokens": 1000})
    return cfg


def main() -> None:
    """Print the recipe."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["qlora", "fsdp2", "teacher"])
    parser.add_argument("model")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--deepspeed", action="store_true")
    parser.add_argument("--resume")
    given = parser.parse_args()
    cfg = recipe(given.kind, given.model, given.folder.resolve(), torch.cuda.is_available())
    # A checkpoint in the middle, to resume from.
    cfg |= {"max_steps": given.steps, "save_strategy": "steps", "save_steps": max(given.steps // 2, 1)}
    if given.deepspeed:
        cfg["deepspeed"] = str(Path(__file__).parent / "zero2.json")
    if given.resume:
        cfg["resume_from_checkpoint"] = given.resume
    print(yaml.safe_dump(cfg, sort_keys=False), end="")


if __name__ == "__main__":
    main()
