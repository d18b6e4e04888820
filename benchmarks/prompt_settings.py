"""What prompts are worth: precision and coverage of a teacher's reversals under different settings, by the audit against the facts.

Usage: python benchmarks/prompt_settings.py DATA_FOLDER... --model FOLDER [--only NAME...] [--serve-arg ARG...] [--out FILE.json]

For each data set (made by `axolotl augft bench make`) and each setting the stage asks the model, served here, for the reversal of every
sentence. Each setting changes one thing of the first. The audit is taken twice over the same answers: without a check, and with
`verify: names`. Answers are kept in the output folder.
"""

import argparse
import itertools
import json
import time
from pathlib import Path
from typing import Any, get_args

from axolotl_augft.augment_config import LocalAugment
from axolotl_augft.bench.audit import Audit, audit, share
from axolotl_augft.bench.dataset import DOCUMENTS, load
from axolotl_augft.bench.making import grammar_of
from axolotl_augft.config import AugftConfig
from axolotl_augft.recipe import Recipe
from axolotl_augft.stage import run_stage

DEFAULTS = LocalAugment()
BASE: dict[str, Any] = {
    "api": "completions",
    "temperature": 0.5,
    "num_examples": DEFAULTS.num_examples,
    "example_choice": DEFAULTS.example_choice,
}
SETTINGS: dict[str, dict[str, Any]] = {
    f"{DEFAULTS.num_examples} {DEFAULTS.example_choice} examples, completions, temperature 0.5": {},
    "fixed examples": {"example_choice": "fixed"},
    "2 examples": {"num_examples": 2},
    "12 examples": {"num_examples": 12},
    "temperature 0": {"temperature": 0.0},
    "temperature 1": {"temperature": 1.0},
    "chat": {"api": "chat"},
}
CHECKS = [c for c in get_args(AugftConfig.model_fields["verify"].annotation) if c != "teacher"]


def main() -> None:
    """Runs the settings and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=list(SETTINGS), default=list(SETTINGS))
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--serve-arg", action="append", default=[])
    parser.add_argument("--work", type=Path, default=Path("build/prompt_settings"))
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for data, name in itertools.product(given.data, given.only):
        rows += _measured(given, data, name)
        if given.out:
            given.out.parent.mkdir(parents=True, exist_ok=True)
            given.out.write_text(json.dumps(rows, indent=1))
    print("| data | setting | check | statements | precision | coverage | unread | seconds |")
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        shown = [row["data"], row["setting"], row["check"], row["statements"]]
        shown += ["–" if row[n] is None else f"{row[n]:.3f}" for n in ("precision", "coverage", "unread")] + [row["seconds"]]
        print("| " + " | ".join(str(s) for s in shown) + " |")


def _measured(given: argparse.Namespace, folder: Path, name: str) -> list[dict[str, Any]]:
    data, start = load(folder), time.monotonic()
    work = given.work / f"{given.model.name}-{folder.name}-{name.replace(' ', '_').replace(',', '')}"
    run_stage(Recipe.from_cfg(_recipe(given, folder, name, "none", work)))
    seconds = round(time.monotonic() - start)
    found = []
    for check in CHECKS:
        result = audit(Recipe.from_cfg(_recipe(given, folder, name, check, work)), data, grammar_of(data))
        about = {"teacher": given.model.name, "data": folder.name, "setting": name, "check": check, "seconds": seconds}
        found.append(about | _figures(result))
    return found


def _figures(result: Audit) -> dict[str, Any]:
    kept = result.accepted()
    return {
        "statements": kept.statements,
        "precision": result.precision,
        "coverage": result.coverage(),
        "unread": share(kept.unread, kept.statements),
        "rejected": {t.reason: t.statements for t in result.tallies if t.reason},
    }


def _recipe(given: argparse.Namespace, folder: Path, name: str, check: str, work: Path) -> dict[str, Any]:
    setting = BASE | SETTINGS[name]
    teacher = {
        "api": setting["api"],
        "temperature": setting["temperature"],
        "max_tokens": 64,
        "max_concurrency": given.concurrency,
        "serve_args": given.serve_arg,
    }
    local = {"strategy": "local", "kinds": ["reversal"], "unit_tokens": 1}
    local |= {k: setting[k] for k in ("num_examples", "example_choice")}
    return {
        "base_model": str(given.model),
        "plugins": ["axolotl_augft.AugFTPlugin"],
        "augft": {"teacher": teacher, "augment": [local], "verify": check, "output_dir": str(work)},
        "datasets": [{"path": str(folder / DOCUMENTS), "ds_type": "json", "type": "completion", "field": "text"}],
        "dataset_prepared_path": str(work / "prepared"),
        "output_dir": str(work / "out"),
        "sequence_len": 512,
        "micro_batch_size": 8,
        "max_steps": 1,
        "learning_rate": 1e-4,
    }


if __name__ == "__main__":
    main()
