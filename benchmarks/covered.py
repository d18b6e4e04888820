"""Results on real text and what the teacher wrote -> the gain by whether the teacher wrote the right answer.

Usage: python benchmarks/covered.py RESULTS --data FOLDER --augmented FILE

RESULTS is a suite's `results.json` with `aug-questions` and its control, FOLDER its data (`data` in the suite's output
folder), FILE the questions that the teacher wrote in their text form (`augmentations/*/0-augmented.parquet` there). A
tested question counts as covered if the teacher's questions about its passage have an answer that holds the right one,
word for word. Gains have the errors of `axolotl augft bench table`.
"""

import argparse
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq

from axolotl_augft.bench.datasets.dataset import Question, load
from axolotl_augft.bench.report.differences import control, difference
from axolotl_augft.bench.report.estimates import Variant, f1, is_right, variants
from axolotl_augft.bench.report.results import load_result
from axolotl_augft.text.words import says

_IN_ANSWER, _IN_QUESTION, _NOWHERE = SPLITS = ("in an answer", "in a question only", "nowhere")


def main() -> None:
    """Print the gains as a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--augmented", type=Path, required=True)
    given = parser.parse_args()
    found = variants(load_result(given.results))
    augmented = next(v for v in found if v.condition == "aug-questions")
    beside = control(augmented, found)
    assert beside is not None
    written = _written(given.augmented)
    covered = {q.id: _coverage(q, written) for q in load(given.data).questions}
    augmented, beside = (_split(variant, covered) for variant in (augmented, beside))
    print(
        f"| the teacher wrote the right answer | questions | {beside.condition} | {augmented.condition} | gain | F1 |"
    )
    print("|---|---:|---:|---:|---:|---:|")
    for split in SPLITS:
        asked = {s.question for s in augmented.cells[0].scores if s.split == split}
        shares = [variant.estimate(split) for variant in (beside, augmented)]
        gains = [difference(augmented, beside, measure, split) for measure in (is_right, f1)]
        cells = [f"{e.accuracy:.3f}" for e in shares if e]
        cells += [f"{g.accuracy:+.3f} ± {g.standard_error or 0:.3f}" for g in gains if g]
        print(f"| {split} | {len(asked)} | {' | '.join(cells)} |")


def _written(file: Path) -> Mapping[str, list[tuple[str, str]]]:
    """Return the teacher's questions with their answers, by passage."""
    written: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in pq.read_table(file, columns=["text", "augft_row"]).to_pylist():
        question, _, answer = row["text"].partition("\nAnswer: ")
        written[f"passage {row['augft_row']}"].append((question, answer))
    return written


def _coverage(question: Question, written: Mapping[str, list[tuple[str, str]]]) -> str:
    right = question.choices[question.answer]
    own = written.get(question.subset, [])
    if any(says(answer, right) for _, answer in own):
        return _IN_ANSWER
    return _IN_QUESTION if any(says(asked, right) for asked, _ in own) else _NOWHERE


def _split(variant: Variant, covered: Mapping[str, str]) -> Variant:
    """Return a variant whose scores are split by coverage."""
    cells = tuple(
        replace(cell, scores=tuple(replace(s, split=covered[s.question]) for s in cell.scores))
        for cell in variant.cells
    )
    return replace(variant, cells=cells)


if __name__ == "__main__":
    main()
