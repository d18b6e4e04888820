"""Data sets, a teacher and settings -> precision and coverage of what the teacher writes, by the audit.

Usage: python benchmarks/prompt_settings.py DATA_FOLDER... --model FOLDER_OR_oracle [--documents N] [--only NAME...]
       [--out FILE.json]

`axolotl augft bench make` makes the data sets. The first setting asks for the reversal of every sentence, and each of
the following ones changes one thing about it; the last two ask for all kinds at once, and for what follows from a group
of documents. The model is served on this machine; `oracle` is a teacher that is always right. Each audit is done twice
over the same answers, without a check and with `verify: names`. Answers stay in the work folder, so that a second run
requests only what is missing.

--out is overwritten by every run. --documents cuts a data set down to that many documents, evenly spread, with their
facts and the questions that follow from them.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from prompt_table import csv_text
from transformers import AutoTokenizer

from axolotl_augft.bench.audit.audit import Audit, audit, share
from axolotl_augft.bench.datasets.dataset import DOCUMENTS, BenchData, Stated, load, save
from axolotl_augft.bench.datasets.facts import closure
from axolotl_augft.bench.datasets.making import grammar_of
from axolotl_augft.bench.experiments.suite import ORACLE
from axolotl_augft.bench.oracle.server import OracleServer
from axolotl_augft.config.augment import LocalAugment
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import AugftError, BenchError, NothingAccepted
from axolotl_augft.stage import run_stage

TEACHER: dict[str, Any] = {"api": "completions", "temperature": 0.5, "max_tokens": 64}
REVERSALS: dict[str, Any] = {"strategy": "local", "kinds": ["reversal"], "unit_tokens": 1, "example_choice": "fitting"}
LONG = {"max_tokens": 256}
DEFAULTS = LocalAugment()
# For each setting, changes to the teacher block, and the `augment` entry.
SETTINGS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    f"{DEFAULTS.num_examples} fitting examples, completions, temperature 0.5": ({}, REVERSALS),
    "fixed examples": ({}, REVERSALS | {"example_choice": "fixed"}),
    "2 examples": ({}, REVERSALS | {"num_examples": 2}),
    "12 examples": ({}, REVERSALS | {"num_examples": 12}),
    "temperature 0": ({"temperature": 0.0}, REVERSALS),
    "temperature 1": ({"temperature": 1.0}, REVERSALS),
    "chat": ({"api": "chat"}, REVERSALS),
    "all kinds at once": (LONG, {"strategy": "local"}),
    "global, 1,000 tokens": (LONG, {"strategy": "global", "context_tokens": 1000}),
}
CHECKS = ("none", "names")


def main() -> None:
    """Run the settings and print their figures as CSV."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--model", required=True)
    parser.add_argument("--documents", type=int, default=sys.maxsize)
    parser.add_argument("--only", nargs="+", choices=list(SETTINGS), default=list(SETTINGS))
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--serve-arg", action="append", default=[])
    parser.add_argument("--work", type=Path, default=Path("build/prompt_settings"))
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if len({folder.name for folder in given.data}) < len(given.data):
        parser.error("two data folders have the same name; rename one, or take one at a time")
    if given.documents < 1:
        parser.error(f"--documents {given.documents}: give a number of at least 1")
    if given.model != ORACLE and not (Path(given.model) / "config.json").exists():
        parser.error(
            f"--model {given.model}: not a model folder (config.json is missing); see "
            f"`example_configs/demo_model.py`, or give oracle"
        )
    try:
        _run(given)
    except AugftError as error:
        parser.error(str(error))


def _run(given: argparse.Namespace) -> None:
    folders = [_folder(given, folder) for folder in given.data]
    rows: list[dict[str, Any]] = []
    for name in given.only:
        if SETTINGS[name][0].get("api") == "chat" and not _chats(given.model):
            print(f"{name}: left out, {given.model} has no chat template")
            continue
        rows += list(_measured(given, folders, name))
        if given.out:
            given.out.parent.mkdir(parents=True, exist_ok=True)
            given.out.write_text(json.dumps(rows, indent=1))
    print(csv_text(rows), end="")


def _chats(model: str) -> bool:
    return model == ORACLE or AutoTokenizer.from_pretrained(model).chat_template is not None


def _folder(given: argparse.Namespace, folder: Path) -> Path:
    """Return the folder of the data set, or of the part that --documents asks for."""
    data = load(folder)
    if given.documents >= len(data.documents):
        return folder
    part: Path = given.work / f"{folder.name}-{given.documents}"
    save(sampled(data, given.documents), part)
    return part


def sampled(data: BenchData, number: int) -> BenchData:
    """Reduce a data set to `number` documents, evenly spread, with what they state and the questions that follow.

    Raises:
        BenchError: No question follows from these documents.
    """
    kept = [i * len(data.documents) // number for i in range(number)]
    places = {old: new for new, old in enumerate(kept)}
    stated = [Stated(s.fact, tuple(places[d] for d in s.documents if d in places)) for s in data.stated]
    part = replace(
        data, documents=tuple(data.documents[i] for i in kept), stated=tuple(s for s in stated if s.documents)
    )
    true = closure(part.facts, part.rules)
    questions = tuple(q for q in data.questions if q.fact in true)
    if not questions:
        raise BenchError(
            f"--documents {number}: no question of {data.name} follows from so few of its "
            f"{len(data.documents)} documents; give a larger number"
        )
    return replace(part, questions=questions)


def _measured(given: argparse.Namespace, folders: Sequence[Path], name: str) -> Iterator[dict[str, Any]]:
    changed, entry = SETTINGS[name]
    if given.model != ORACLE:
        serving = {"model": given.model, "max_concurrency": given.concurrency, "serve_args": given.serve_arg}
        yield from _audited(given, folders, name, TEACHER | serving | changed, entry)
        return
    for folder in folders:
        data = load(folder)
        with OracleServer(data, grammar_of(data)) as oracle:
            yield from _audited(given, [folder], name, oracle.teacher_block(changed.get("api", TEACHER["api"])), entry)


def _audited(
    given: argparse.Namespace, folders: Sequence[Path], name: str, teacher: Mapping[str, Any], entry: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    # Local requests are the same with one data set per recipe or several. Global ones are not, because context groups
    # would mix the data sets.
    together = [folders] if entry["strategy"] == "local" else [[folder] for folder in folders]
    for some in together:
        try:
            run_stage(Recipe.from_cfg(_recipe(given, some, teacher, entry, CHECKS[0])))
        except NothingAccepted as error:  # not fatal: the audit still tells what became of the statements
            print(f"{name}: {error}")
    for folder in folders:
        data = load(folder)
        for check in CHECKS:
            found = audit(Recipe.from_cfg(_recipe(given, [folder], teacher, entry, check)), data, grammar_of(data))
            about = {"teacher": Path(given.model).name, "data": folder.name, "setting": name, "check": check}
            yield about | {"documents": len(data.documents)} | _figures(found)


def _figures(result: Audit) -> dict[str, Any]:
    kept = result.accepted()
    return {
        "statements": kept.whole,
        "precision": result.precision,
        "wrong": share(kept.wrong, kept.whole),
        "unread": share(kept.unread, kept.whole),
        "coverage": result.coverage(),
        "rejected": {t.reason: t.whole for t in result.tallies if t.reason},
    }


def _recipe(
    given: argparse.Namespace, folders: Sequence[Path], teacher: Mapping[str, Any], entry: Mapping[str, Any], check: str
) -> dict[str, Any]:
    student = given.model if given.model != ORACLE else ""
    work = given.work / Path(given.model).name
    return {
        "base_model": student,
        "plugins": ["axolotl_augft.AugFTPlugin"],
        "augft": {"teacher": dict(teacher), "augment": [dict(entry)], "verify": check, "output_dir": str(work)},
        "datasets": [
            {"path": str(f / DOCUMENTS), "ds_type": "json", "type": "completion", "field": "text"} for f in folders
        ],
        "dataset_prepared_path": str(work / "prepared"),
        "output_dir": str(work / "out"),
        "sequence_len": 2048,
        "micro_batch_size": 8,
        "max_steps": 1,
        "learning_rate": 1e-4,
    }


if __name__ == "__main__":
    main()
