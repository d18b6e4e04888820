"""Numbers of statements -> seconds and memory of finding near duplicates among them, each in a new process.

    python benchmarks/near_duplicates.py 10000 100000 1000000

Each statement is about a generated document (`speed/corpus.py`) of one sentence: that sentence with one word replaced,
with another article, with its halves exchanged, or with a word more. Every tenth document repeats an earlier one. The
seconds are those of one core, without the making of the statements.
"""

import random
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "speed"))
from corpus import text

_OTHER_WORDS = "old slow small new plain famous local public narrow former".split()
_STATEMENTS_PER_DOCUMENT = 4


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
    from axolotl_augft.judging.near_duplicates import NearDuplicates

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


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sizes = [int(size) for size in sys.argv[1:]]
    if len(sizes) == 1:
        print(measure(sizes[0]))
    for size in sizes if len(sizes) > 1 else ():
        subprocess.run([sys.executable, __file__, str(size)], check=True)
