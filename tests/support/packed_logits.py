"""Recipes with sample packing -> how far what shares a sequence with a row changes its logits, in axolotl's trainer.

Run as `python -m tests.support.packed_logits RECIPE.yml …`; writes a JSON object with one `Packed` for each recipe to
standard output. In a process of its own, because axolotl patches the data loader for packing.
"""

import json
import sys
from dataclasses import asdict, dataclass

import torch


@dataclass(frozen=True)
class Packed:
    """What a recipe's first batch holds.

    Attributes:
        rows: Number of rows, by the sequence that they share.
        changed: The largest difference between a row's logits there and alone.
    """

    rows: list[int]
    changed: float


def packed(recipe: str) -> Packed:
    from axolotl.cli.config import load_cfg
    from axolotl.common.datasets import load_datasets
    from axolotl.integrations.base import PluginManager
    from axolotl.train import setup_model_and_trainer

    cfg = load_cfg(recipe)
    PluginManager.get_instance().load_datasets(cfg, preprocess=False)
    trainer, model, *_ = setup_model_and_trainer(cfg, load_datasets(cfg=cfg))
    model.eval()
    inputs = trainer._prepare_inputs(next(iter(trainer.get_train_dataloader())))
    with torch.no_grad():
        _, outputs = trainer.compute_loss(model, dict(inputs), return_outputs=True)
        rows, changed = [], 0.0
        for ids, positions, logits in zip(inputs["input_ids"], inputs["position_ids"], outputs.logits, strict=True):
            starts = [*(positions == 0).nonzero().flatten().tolist(), len(ids)]
            rows.append(len(starts) - 1)
            for start, end in zip(starts, starts[1:], strict=False):
                alone = model(input_ids=ids[None, start:end]).logits[0]
                changed = max(changed, (alone - logits[start:end]).abs().max().item())
    return Packed(rows, changed)


if __name__ == "__main__":
    sys.stdout.write(json.dumps({recipe: asdict(packed(recipe)) for recipe in sys.argv[1:]}) + "\n")
