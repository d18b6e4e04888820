"""Reversal-curse data -> what `augft.probe` is worth in accuracy, with a student that knows half of the facts.

Usage: python benchmarks/probe/accuracy.py OUT [--source FOLDER] [--seeds 0,1,2] [--documents 1] [--rate 8e-3]

For each seed, half of the people are drawn, and a student of less than a million parameters is trained from nothing on
sentences about them (half_known.py). It is then trained further on documents about all people: on these alone, with
what the oracle writes about all of them, about those that the student is found not to know, and about as many drawn at
random, for the same number of steps; then with `replay` of what the student was taught before. The student is asked as
in any run: `transformers serve` serves it. Prints tables, and writes what was answered right to OUT. Finished seeds are
kept.
"""

import argparse
import csv
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean

from half_known import KNOWN, NEW, half_known
from one_student import (
    ALONE,
    BEFORE,
    EVERYTHING,
    EVERYTHING_REPLAY,
    PROBE,
    PROBE_REPLAY,
    RANDOM,
    RATE,
    Finished,
    finished,
    run,
)

from axolotl_augft.bench.report.differences import difference
from axolotl_augft.bench.report.estimates import Estimate, Variant, is_right

_TITLES = {
    BEFORE: "– (not trained further)",
    ALONE: "nothing else",
    EVERYTHING: "what is written about all of them",
    PROBE: "what is written about those not known (`probe`)",
    RANDOM: "what is written about as many at random",
    EVERYTHING_REPLAY: "what is written about all of them, and `replay`",
    PROBE_REPLAY: "what is written about those not known, and `replay`",
}
_COMPARED = ((PROBE, EVERYTHING), (PROBE, RANDOM), (PROBE, ALONE), (PROBE_REPLAY, EVERYTHING_REPLAY))
_SPLITS = (None, KNOWN, NEW)


def main() -> None:
    """Run the seeds that are not finished, write the results and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--source", type=Path, help="folder of the reversal-curse data; downloaded by default")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--documents", type=int, default=1, help="documents about each person, 1 to 6")
    parser.add_argument("--rate", type=float, default=RATE, help="learning rate of the further training")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    seeds = []
    for seed in map(int, given.seeds.split(",")):
        folder = given.out / f"seed{seed}"
        known = finished(folder, given.rate)
        seeds.append(known or run(folder, half_known(given.source, seed, given.documents), given.rate))
    save_scores(seeds, given.out / f"half-known-rate-{given.rate:g}.csv")
    print(*tables(seeds), sep="\n")


def save_scores(seeds: Sequence[Finished], path: Path) -> None:
    """Write how many questions about each person were answered right."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["seed", "trained further on", "person", "half", "questions", "right"])
        for way in _TITLES:
            for cell in (seed.cells[way] for seed in seeds):
                asked = Counter((score.subset, score.split) for score in cell.scores)
                right = Counter(score.subset for score in cell.scores if score.right)
                writer.writerows([cell.seed, way, *key, n, right[key[0]]] for key, n in sorted(asked.items()))


def tables(seeds: Sequence[Finished]) -> Iterator[str]:
    """Yield the lines of the tables: what the probe found, accuracies, and differences."""
    variants = {way: Variant("aug-local", "none", tuple(seed.cells[way] for seed in seeds)) for way in _TITLES}
    for seed in seeds:
        yield str(seed.found)
    yield from ("", "| trained further on the documents and | requests | teacher tokens | all | known before | new |")
    yield "|---|---:|---:|---:|---:|---:|"
    for way, variant in variants.items():
        accuracies = " | ".join(_told(variant.estimate(split)) for split in _SPLITS)
        yield f"| {_TITLES[way]} | {_teacher(variant)} | {accuracies} |"
    yield from ("", "| difference | all | known before | new |", "|---|---:|---:|---:|")
    for one, other in _COMPARED:
        gains = [difference(variants[one], variants[other], is_right, split) for split in _SPLITS]
        yield f"| {one} − {other} | {' | '.join(_told(gain, '+') for gain in gains)} |"


def _teacher(variant: Variant) -> str:
    """Word the requests to the teacher and its tokens, read and written."""
    uses = [cell.teacher for cell in variant.cells if cell.teacher]
    if not uses:
        return "0 | 0"
    tokens = fmean(use.prompt_tokens + use.completion_tokens for use in uses)
    return f"{fmean(use.requests for use in uses):,.1f} | {tokens:,.0f}"


def _told(value: Estimate | None, sign: str = "") -> str:
    assert value is not None and value.standard_error is not None
    return f"{value.accuracy:{sign}.3f} ± {value.standard_error:.3f}".replace("-", "−")


if __name__ == "__main__":
    main()
