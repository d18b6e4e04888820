"""What worked examples that fit are worth: statements kept and rejected by reason, with fitting and with fixed examples.

Usage: python benchmarks/examples_fitting_or_fixed.py RECIPE.yml

Runs the recipe's local entries twice with the recipe's own teacher and response store (what was answered before is not
asked again), and prints a Markdown table, one column for each choice of examples.
"""

import argparse
import copy
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.stage import run_stage

CHOICES = ("fitting", "fixed")


def main() -> None:
    """Runs both and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path)
    cfg = yaml.safe_load(parser.parse_args().recipe.read_text())
    counts = {choice: _run(cfg, choice) for choice in CHOICES}
    names = list(dict.fromkeys(name for c in counts.values() for name in c))
    print("| statements | " + " | ".join(CHOICES) + " |")
    print("|---|" + "---|" * len(CHOICES))
    for name in names:
        print(f"| {name} | " + " | ".join(str(counts[c][name]) for c in CHOICES) + " |")


def _run(cfg: dict[str, Any], choice: str) -> Counter[str]:
    own = copy.deepcopy(cfg)
    own["augft"]["store"] = str(Recipe.from_cfg(cfg).store_path)
    entries = [e.model_dump(exclude_none=True) for e in Recipe.from_cfg(cfg).augft.augment if e.strategy == "local"]
    own["augft"]["augment"] = [{**entry, "example_choice": choice} for entry in entries]
    with tempfile.TemporaryDirectory() as folder:
        own["augft"]["output_dir"] = folder
        recipe = Recipe.from_cfg(own)
        result = run_stage(recipe)
    found = Counter({f"accepted: {name}": n for name, n in result.counts.accepted.items()})
    found.update({f"rejected: {name}": n for name, n in result.counts.rejected.items()})
    return found


if __name__ == "__main__":
    main()
