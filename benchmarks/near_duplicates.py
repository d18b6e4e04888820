"""Numbers of statements -> seconds and memory of finding near duplicates among them, each in a new process.

    python benchmarks/near_duplicates.py 10000 100000 1000000
    python benchmarks/near_duplicates.py tests/judging/near_pairs.jsonl

The second form compares, on pairs of statements that were read one by one, what is taken as said twice with what a
measure of similarity would take so: the share of common words or runs of three letters, which MinHash estimates.

Each statement is about a generated document (`speed/corpus.py`) of one sentence: that sentence with one word replaced,
with another article, with its halves exchanged, or with a word more. Every tenth document repeats an earlier one. The
seconds are those of one core, without the making of the statements.
"""

import json
import random
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axolotl_augft.judging.near_duplicates import NearDuplicates, Repeats
from axolotl_augft.text.words import normalised

sys.path.insert(0, str(Path(__file__).parent / "speed"))
from corpus import text

_OTHER_WORDS = "old slow small new plain famous local public narrow former".split()
_STATEMENTS_PER_DOCUMENT = 4
_PROBABILITY = {"yes": 0.9, "unsaid": 0.5, "no": 0.1}


@dataclass(frozen=True)
class Statement:
    """A generated statement, its probability and its source."""

    text: str
    probability: float | None
    source: str


def statements(count: int) -> Iterator[Statement]:
    draw = random.Random(count)
    for i in range(count):
        number = i // _STATEMENTS_PER_DOCUMENT
        # One document in ten is that of an earlier row, in the same words.
        source = text(number if number % 10 else number // 10, 1)
        yield Statement(_written(source, draw), round(draw.random(), 3), source)


def _written(source: str, draw: random.Random) -> str:
    words = source.split()
    match draw.randrange(4):
        case 0:
            words[draw.randrange(len(words))] = draw.choice(_OTHER_WORDS)
        case 1:
            return source.replace(" the ", " a ", 1)
        case 2:
            half = len(words) // 2
            words = [*words[half:], *words[:half]]
        case _:
            words = [*words, draw.choice(_OTHER_WORDS)]
    return " ".join(words)


def measure(count: int) -> str:
    start = time.process_time()
    making = sum(len(s.text) for s in statements(count)) and time.process_time() - start
    before, start = _peak_mb(), time.process_time()
    found = NearDuplicates(text(i, 1) for i in range(count // _STATEMENTS_PER_DOCUMENT))
    for position, statement in enumerate(statements(count)):
        found.add(position, statement.text, statement.probability, (statement.source,))
    added = time.process_time()
    repeats = Counter(str(found.repeats(position)) for position in range(count))
    settling = time.process_time() - added
    shares = ", ".join(f"{what} {n / count:.0%}" for what, n in sorted(repeats.items()))
    return (
        f"{count:,} statements: {added - start - making + settling:.0f} s of CPU, {settling:.1f} s of them to decide; "
        f"{_peak_mb() - before:.0f} MB beside {before:.0f} MB of imports; {shares}"
    )


def compare(file: Path) -> list[str]:
    pairs = [json.loads(line) for line in file.read_text().splitlines()]
    same, both_true = sum(p["same"] for p in pairs), sum(not p["same"] and _both_true(p) for p in pairs)
    lines = [f"{len(pairs)} pairs: {same} say the same in the same order, {both_true} say two true things"]
    for name, parts in (("words", _words), ("letters", _letters)):
        for least in (0.7, 0.8, 0.9):
            found = [p for p in pairs if _overlap(parts(p["first"]), parts(p["second"])) >= least]
            lines.append(f"share of {name} >= {least}: {_found(found)}")
    without = [p for p in pairs if _is_repeated(p, None, None)]
    verified = [p for p in pairs if _is_repeated(p, *(_PROBABILITY[verdict] for verdict in p["follows"]))]
    return [*lines, f"NearDuplicates, no probabilities: {_found(without)}", f"with probabilities: {_found(verified)}"]


def _found(pairs: list[dict[str, Any]]) -> str:
    same, both_true = sum(p["same"] for p in pairs), sum(not p["same"] and _both_true(p) for p in pairs)
    return f"{same} of the same, {len(pairs) - same} others, {both_true} of these with two true statements"


def _both_true(pair: dict[str, Any]) -> bool:
    return bool(pair["follows"] == ["yes", "yes"])


def _is_repeated(pair: dict[str, Any], first: float | None, second: float | None) -> bool:
    found = NearDuplicates()
    found.add(0, pair["first"], first, (pair["source"],))
    found.add(1, pair["second"], second, (pair["source"],))
    return not {found.repeats(0), found.repeats(1)} <= {None, Repeats.SOURCE}


def _words(text: str) -> set[str]:
    return set(normalised(text).split())


def _letters(text: str) -> set[str]:
    small = f" {normalised(text)} "
    return {small[i : i + 3] for i in range(len(small) - 2)}


def _overlap(first: set[str], second: set[str]) -> float:
    return len(first & second) / len(first | second)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        if not argument.isdecimal():
            print("\n".join(compare(Path(argument))))
        elif len(sys.argv) == 2:
            print(measure(int(argument)))
        else:
            subprocess.run([sys.executable, __file__, argument], check=True)
