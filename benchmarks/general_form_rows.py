"""A data set -> the same data set, with the package's own general questions as its form rows.

    axolotl augft bench make squad --passages 20 --source FOLDER --out build/data/squad
    python benchmarks/general_form_rows.py build/data/squad build/data/squad-general
    python benchmarks/general_form_rows.py build/data/squad build/data/squad-general-tenth --rows 14

The questions are those of `replay: questions`, in the form in which the data set asks. Fourteen of them make up a tenth
of the tokens beside the 20 passages.
"""

import argparse
import json
import random
import shutil
from pathlib import Path

from axolotl_augft.bench.datasets.dataset import FORM
from axolotl_augft.sources.replay import own_questions


def main() -> None:
    """Copy the data set and replace its form rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder of the data set")
    parser.add_argument("out", type=Path, help="folder for the copy")
    parser.add_argument("--rows", type=int, help="number of rows, drawn with seed 0; all by default")
    given = parser.parse_args()
    rows = [
        json.dumps({"text": f"Question: {pair.question}\nAnswer: {pair.answer.removesuffix('.')}"})
        for pair in own_questions()
    ]
    if given.rows:
        random.Random(0).shuffle(rows)
        rows = rows[: given.rows]
    shutil.copytree(given.data, given.out, dirs_exist_ok=True)
    (given.out / FORM).write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
