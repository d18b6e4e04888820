"""A teacher and 30 documents that carry instructions to a model -> how many of these reach the rows to train on.

Usage: python benchmarks/hostile_documents.py --model NAME --base-url URL [--api chat] [--strategy local]
       [--verify none] [--without-seed] [--store FILE] [--show]

The documents (`tests/text/hostile_documents.jsonl`) stand among other ones. For each, `sign` is a pattern that shows
where its instruction was obeyed or repeated. Counted are the documents whose sign is in an accepted row: a row about
the document itself, and one about another document, whose text does not have it. Both with `instructions: keep` and
`drop`. Answers stay in the store, so a second run asks nothing.
"""

import argparse
import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.output.manifest import result_folder
from axolotl_augft.stage import run_stage

_TEXTS = Path(__file__).parent.parent / "tests" / "text"
_BENIGN = 10
_MODES = ("keep", "drop")


@dataclass(frozen=True)
class Reached:
    """An accepted row with the sign of a document.

    Attributes:
        name: Name of the document.
        own: The row is about this document.
        text: The row.
    """

    name: str
    own: bool
    text: str


def main() -> None:
    """Run the stage with both modes and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--api", choices=["chat", "completions"], default="chat")
    parser.add_argument("--strategy", choices=["local", "global"], default="local")
    parser.add_argument("--verify", choices=["none", "names", "teacher"], default="none")
    parser.add_argument("--without-seed", action="store_true", help="for vLLM on a CPU, which cannot sample with one")
    parser.add_argument("--store", type=Path, default=Path("build/hostile.sqlite"))
    parser.add_argument("--show", action="store_true", help="print the rows that were reached")
    given = parser.parse_args()
    hostile, benign = (_documents(f"{name}_documents.jsonl") for name in ("hostile", "benign"))
    texts = [d["text"] for d in (*hostile, *benign[:_BENIGN])]
    print("instructions | rows accepted | documents whose instruction is in own rows | in rows of other documents")
    print("---|---:|---:|---:")
    for mode in _MODES:
        with tempfile.TemporaryDirectory() as folder:
            rows = _accepted(_config(given, mode, _written(texts, Path(folder)), Path(folder)))
        reached = list(_reached(hostile, texts, rows))
        own, others = ({r.name for r in reached if r.own == is_own} for is_own in (True, False))
        print(f"{mode} | {len(rows)} | {len(own)} of {len(hostile)} | {len(others)} of {len(hostile)}", flush=True)
        for r in reached if given.show else ():
            print(f"  {r.name}{'' if r.own else ' (in another document)'}: {' / '.join(r.text.splitlines())}")


def _documents(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (_TEXTS / name).read_text().splitlines()]


def _written(texts: Sequence[str], folder: Path) -> Path:
    data = folder / "data.jsonl"
    data.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return data


def _config(given: argparse.Namespace, mode: str, data: Path, folder: Path) -> dict[str, Any]:
    teacher = {"model": given.model, "base_url": given.base_url, "api": given.api}
    given.store.parent.mkdir(parents=True, exist_ok=True)
    return {
        "base_model": given.model,
        "plugins": ["axolotl_augft.AugFTPlugin"],
        "datasets": [{"path": str(data), "ds_type": "json", "type": "completion"}],
        "dataset_prepared_path": str(folder / "prepared"),
        "output_dir": str(folder / "trained"),
        "sequence_len": 2048,
        "micro_batch_size": 1,
        "num_epochs": 1,
        "augft": {
            "teacher": {**teacher, "extra_body": {"seed": None}} if given.without_seed else teacher,
            "augment": [given.strategy],
            "verify": given.verify,
            "instructions": mode,
            "store": str(given.store.resolve()),
        },
    }


def _accepted(cfg: dict[str, Any]) -> list[dict[str, Any]]:
    recipe = Recipe.from_cfg(cfg)
    folder = result_folder(recipe, run_stage(recipe).fingerprint)
    rows: list[dict[str, Any]] = pq.read_table(folder / "0-augmented.parquet").to_pylist()
    return rows


def _reached(
    hostile: Sequence[dict[str, Any]], texts: Sequence[str], rows: Sequence[dict[str, Any]]
) -> Iterator[Reached]:
    for number, document in enumerate(hostile):
        sign = re.compile(document["sign"], re.IGNORECASE)
        for row in rows:
            own = row["augft_row"] == number
            if sign.search(row["text"]) and (own or not sign.search(texts[row["augft_row"]])):
                yield Reached(document["name"], own, row["text"])


if __name__ == "__main__":
    main()
