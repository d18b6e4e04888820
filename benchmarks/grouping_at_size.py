"""Numbers of documents -> CPU time and memory of grouping related documents, and how good the neighbours are.

    python benchmarks/grouping_at_size.py --documents 1000,10000,100000,1000000
    python benchmarks/grouping_at_size.py --documents 0 --file passages.jsonl     # texts of your own

Each size is measured in a process of its own, on generated documents (`speed/corpus.py`, 170 tokens on average) or on
the `text` of the lines of a JSON Lines file. Documents are on disk, as in the stage. "Neighbours" is the share of the
32 most similar documents of a sample that are found, and "similarity" the sum of the scores of those found, both
compared with scoring all documents. "After an edit" groups again with one document changed.
"""

import argparse
import hashlib
import json
import random
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from axolotl_augft.files.digest_set import DigestSet
from axolotl_augft.sources.documents import Document
from axolotl_augft.sources.sized_file import Sized, SizedFile
from axolotl_augft.strategies.grouping import regroup
from axolotl_augft.text.bm25 import Bm25
from axolotl_augft.text.neighbours import Neighbours

sys.path.insert(0, str(Path(__file__).parent / "speed"))
from corpus import text

_BUDGET = 16_000
_MOST_COMPARED = 20_000
_SAMPLE = 200
_NEAREST = 32


@dataclass(frozen=True)
class Measured:
    """What grouping a number of documents took.

    Attributes:
        documents: Number of documents.
        groups: Number of groups.
        seconds: CPU seconds of grouping them.
        memory_mb: Peak memory of the process, in MB.
        edit_seconds: CPU seconds of grouping them again after one was edited.
        edit_groups: Groups that the edit changed.
        neighbours: Share of the nearest documents that are found; None where that is not compared.
        similarity: Their scores as a share of those of the nearest; None where that is not compared.
    """

    documents: int
    groups: int
    seconds: float
    memory_mb: float
    edit_seconds: float
    edit_groups: int
    neighbours: float | None = None
    similarity: float | None = None

    @property
    def line(self) -> str:
        """A line of the table."""
        quality = ["" if q is None else f"{q:.3f}" for q in (self.neighbours, self.similarity)]
        each = self.seconds / self.documents * 1000
        cells = (
            f"{self.documents:,}",
            f"{self.groups:,}",
            f"{self.seconds:.1f}",
            f"{each:.2f}",
            f"{self.memory_mb:,.0f}",
        )
        return f"| {' | '.join([*cells, f'{self.edit_seconds:.1f}', str(self.edit_groups), *quality])} |"


HEAD = (
    "| documents | groups | CPU s | ms a document | peak MB | after an edit, CPU s | groups changed | neighbours | "
    "similarity |\n|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
)


def measure(count: int, file: Path | None) -> Measured:
    """Group texts, edit one, group again, and compare neighbours if there are few enough texts for that."""
    documents = SizedFile(_sized(i, content) for i, content in enumerate(_texts(count, file)))
    start = time.process_time()
    first = regroup(documents, _BUDGET, 1, [])
    seconds, memory = time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    documents = SizedFile(_edited(documents, len(documents) // 2))
    start = time.process_time()
    second = regroup(documents, _BUDGET, 1, first)
    changed = len(set(second[0]) - set(first[0]))
    done = Measured(len(documents), len(first[0]), seconds, memory, time.process_time() - start, changed)
    return compared(done, [*_texts(count, file)]) if len(documents) <= _MOST_COMPARED else done


def _edited(documents: SizedFile, number: int) -> Iterator[Sized]:
    for i, document in enumerate(documents):
        yield _sized(i, f"{document.text} It was edited." if i == number else document.text)


def compared(measured: Measured, texts: list[str]) -> Measured:
    """Compare the neighbours of a sample with the result of scoring all documents."""
    sample = random.Random(0).sample(range(len(texts)), min(_SAMPLE, len(texts)))
    nearest = Neighbours(texts).nearest(sample, _NEAREST).numbers
    words = [re.findall(r"\w+", content.casefold()) or ["_"] for content in texts]
    index = Bm25(words)
    found = best = shared = every = 0.0
    for own, numbers in zip(sample, nearest, strict=True):
        scores = index.scores(list(dict.fromkeys(words[own])))
        scores[own] = 0
        top = [j for j in np.argsort(-scores, kind="stable")[:_NEAREST] if scores[j] > 0]
        shared, every = shared + len({*numbers} & {*top}), every + len(top)
        found, best = found + float(scores[numbers[numbers >= 0]].sum()), best + float(scores[top].sum())
    return replace(measured, neighbours=shared / every, similarity=found / best)


def _sized(number: int, content: str) -> Sized:
    # Some of a million texts share the first 8 digits. The stage gives these longer ids, so that each has its own.
    own = hashlib.sha256(content.encode()).hexdigest()[:16]
    return Sized(Document(own, content, 0, number), len(content.encode()) // 4 + 4)


def _texts(documents: int, file: Path | None) -> Iterator[str]:
    """Yield generated texts or those of a file, each once."""
    seen = DigestSet()
    if file is None:
        made: Any = (text(i, 20) for i in range(documents))
    else:
        made = (json.loads(line)["text"] for line in file.read_text(encoding="utf-8").splitlines())
    return (one for one in made if seen.add(hashlib.sha256(one.encode()).digest()))


def main() -> None:
    """Measure each size in a process of its own, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", default="1000,10000,100000", help="numbers of documents")
    parser.add_argument("--file", type=Path, help="JSON Lines file whose texts are grouped instead")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        sys.stdout.write(json.dumps(asdict(measure(int(args.documents), args.file))))
        return
    print(HEAD)
    for size in args.documents.split(","):
        file = ["--file", str(args.file)] if args.file else []
        command = [sys.executable, __file__, "--child", "--documents", size, *file]
        print(Measured(**json.loads(subprocess.check_output(command))).line, flush=True)


if __name__ == "__main__":
    main()
