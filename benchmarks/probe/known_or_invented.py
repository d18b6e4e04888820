"""A recipe with `augft.probe` -> how well its student's answers tell what everyone knows from what nobody can know.

Usage: python benchmarks/probe/known_or_invented.py RECIPE.yml [--list]

The student and the teacher are those of the recipe; its data are not read. Asked about are 38 documents with facts that
most people know (general.jsonl; none of them stands in the prompt's own examples) and the 48 documents of the example
handbook, whose people, places and numbers are invented. Prints a Markdown table and what would be left out of the
teacher's requests about both together. The teacher is not asked. Answers are kept in the recipe's response store.
"""

import argparse
import copy
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from axolotl_augft.asking.budget import recipe_budget
from axolotl_augft.asking.rounds import Turns
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.prepared import Prepared, prepared
from axolotl_augft.probing.record import ProbeRecord
from axolotl_augft.text.sentences import split_sentences

_HERE = Path(__file__).parent
_SOURCES = {
    "known to most people": [_HERE / "general.jsonl"],
    "invented": [_HERE.parent.parent / "example_configs" / "handbook.jsonl"],
}


def main() -> None:
    """Ask the student about both sources and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--list", action="store_true", help="print the invented sentences that count as known, too")
    arguments = parser.parse_args()
    cfg = yaml.safe_load(arguments.recipe.read_text())
    print("| source | documents | known | sentences | could be asked about | known | questions | right |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for name, files in _SOURCES.items():
        with _asked(cfg, files) as ready:
            print(_row(name, _record(ready)))
            if arguments.list and name == "invented":
                wrong = list(_known_sentences(ready))
    with _asked(cfg, [file for files in _SOURCES.values() for file in files]) as ready:
        together = _record(ready)
        sent = sum(1 for _ in ready.requests())
    print(f"\nleft out of the teacher's {together.left_out.total + sent:,} requests: {together.left_out}")
    if arguments.list:
        print("\n".join(["invented, and counted as known:", *wrong]))


@contextmanager
def _asked(cfg: dict[str, Any], files: list[Path]) -> Iterator[Prepared]:
    """Ask the student about the documents of files, as far as the recipe's store does not answer."""
    own = copy.deepcopy(cfg)
    own["augft"]["store"] = str(Recipe.from_cfg(cfg).store_path)
    own["datasets"] = [{"path": str(file), "ds_type": "json", "type": "completion"} for file in files]
    with tempfile.TemporaryDirectory() as folder:
        own["augft"]["output_dir"] = folder
        recipe = Recipe.from_cfg(own)
        with prepared(recipe) as ready:
            probe = ready.probe
            if probe is None:
                raise SystemExit("the recipe has no augft.probe")
            budget = recipe_budget(recipe.augft, ready.teacher, student=probe.student)
            with Turns(recipe, ready.teacher, ready.store, budget, probe.student) as turns:
                turns.of(probe.student).ask(probe.requests, "questions to the student")
            yield ready


def _record(ready: Prepared) -> ProbeRecord:
    record = ready.probed()
    assert record is not None
    return record


def _row(name: str, found: ProbeRecord) -> str:
    numbers = (
        *(found.documents, found.known_documents, found.sentences, found.asked_about, found.known_sentences),
        *(found.questions, found.right),
    )
    return f"| {name} | " + " | ".join(f"{n:,}" for n in numbers) + " |"


def _known_sentences(ready: Prepared) -> Iterator[str]:
    assert ready.probe is not None
    for document in ready.documents:
        for i in sorted(ready.probe.known.sentences.get(document.place, ())):
            yield split_sentences(document.text, ready.recipe.augft.language)[i]


if __name__ == "__main__":
    main()
