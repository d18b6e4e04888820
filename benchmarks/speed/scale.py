"""Many documents -> seconds and memory of planning and of writing results, measured in a new process.

`python scale.py plan|write COUNT FOLDER` prints them as JSON. `plan` runs `axolotl augft plan` on a Parquet file, with
a tokenizer; `write` makes one augmentation per document from stored answers, with one process and with as many as there
are cores (another number may follow FOLDER).
"""

import importlib
import os
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import corpus
import orjson
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from measuring import Figure, child

_ROWS = 10_000


def _peak() -> int:
    return (
        int(
            next(
                line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")
            ).split()[1]
        )
        * 1024
    )


def _reset_peak() -> int:
    """Reset the peak memory, and return the resident memory in bytes."""
    Path("/proc/self/clear_refs").write_text("5")
    return int(psutil.Process().memory_info().rss)


def write_corpus(count: int, file: Path, most_sentences: int = 3) -> None:
    """Write generated documents of up to so many sentences as a Parquet file."""
    with pq.ParquetWriter(file, pa.schema([("text", pa.string())])) as writer:
        for start in range(0, count, _ROWS):
            texts = [corpus.text(i, most_sentences) for i in range(start, min(count, start + _ROWS))]
            writer.write_table(pa.table({"text": texts}))


def trained_tokenizer(folder: Path) -> Path:
    """Train a byte-level tokenizer of 4,096 tokens on the corpus."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=4096, special_tokens=["</s>"], show_progress=False)
    tokenizer.train_from_iterator((corpus.text(i) for i in range(2000)), trainer)
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def _recipe(count: int, folder: Path) -> Any:
    from axolotl_augft.config.recipe import Recipe

    write_corpus(count, folder / "corpus.parquet")
    return Recipe.from_cfg(
        {
            "base_model": str(trained_tokenizer(folder / "model")),
            "augft": {
                "augment": [corpus.LOCAL],
                "output_dir": str(folder / "out"),
                "teacher": {"id": "mock", "api": "chat"},
            },
            "datasets": [{"path": str(folder / "corpus.parquet"), "ds_type": "parquet", "type": "completion"}],
            "dataset_prepared_path": str(folder / "prepared"),
        }
    )


def _import_axolotl() -> None:
    """Import what the stage uses of axolotl, whose memory is not ours to measure."""
    importlib.import_module("axolotl.utils.data.shared")


def plan(count: int, folder: Path) -> dict[str, Any]:
    """Measure a plan: seconds, and memory above that of axolotl's imports."""
    from axolotl_augft.cli.plan import plan_lines

    recipe = _recipe(count, folder)
    _import_axolotl()
    before, start = _reset_peak(), time.monotonic()
    cpu = time.process_time()
    lines = plan_lines(recipe)
    return {
        "seconds": time.monotonic() - start,
        "cpu": time.process_time() - cpu,
        "growth": _peak() - before,
        "sampled": any("sampled" in line for line in lines),
        "lines": lines,
    }


def _fill(recipe: Any) -> None:
    """Store an answer to every request of a recipe."""
    from axolotl_augft.prepared import prepared
    from axolotl_augft.teacher.answer import Answer, Outcome

    def answered(requests: Iterator[Any]) -> Iterator[Any]:
        for i, request in enumerate(requests):
            said = f"[1] rephrasing: Put in other words, that is number {i} of a long list."
            yield request, Answer(Outcome.ANSWERED, said, "stop", 9, 0, 9)

    with prepared(recipe) as ready:
        answers = answered(ready.requests())
        while some := list(islice(answers, 2000)):
            ready.store.put(some)


def _written(recipe: Any, count: int) -> dict[str, Any]:
    """Measure writing the results of a full store: seconds, CPU seconds with those of the workers, and memory."""
    from axolotl_augft.output.result import ResultInput, Verdicts, write_result
    from axolotl_augft.output.student import load_student
    from axolotl_augft.output.writer import RequestCounts
    from axolotl_augft.prepared import prepared

    with prepared(recipe) as ready:
        before, start, cpu = _reset_peak(), time.monotonic(), time.process_time()
        counts, verdicts = (
            RequestCounts(ready.documents.count, count, 0, {}, {}, 0),
            Verdicts(ready.judged(leaks=False)),
        )
        given = ResultInput(ready.sources, verdicts, load_student(recipe), "mock", counts)
        found = write_result(recipe, given, make_parts=ready.workers.parts if ready.workers else None)
        seconds, cpu, growth = time.monotonic() - start, time.process_time() - cpu, _peak() - before
    workers = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "seconds": seconds,
        "cpu": cpu,
        "workers_cpu": workers.ru_utime + workers.ru_stime,
        "growth": growth,
        "rows": sum(e.augmented.rows for e in found.entries if e.augmented),
        "fingerprint": found.fingerprint,
    }


def write(count: int, folder: Path, workers: int | None = None) -> dict[str, Any]:
    """Measure writing with one process, then with as many as there are cores, or with `workers`."""
    recipe = _recipe(count, folder)
    _import_axolotl()
    _fill(recipe)
    several = workers or len(os.sched_getaffinity(0))
    shared = recipe.augft.model_copy(update={"workers": several})
    return {
        "alone": _written(recipe, count),
        "several": several,
        "shared": _written(replace(recipe, augft=shared), count),
    }


def _goal(goal: str, figure: str, met: bool, count: int) -> tuple[str, str, bool | None]:
    """Apply goals, which are for a million documents, only to runs of at least that many."""
    return (goal, figure, met) if count >= 1_000_000 else ("", figure, None)


def figures(count: int) -> list[Figure]:
    """Return the lines of the table."""
    planned, written = child("scale.py", "plan", str(count)), child("scale.py", "write", str(count))
    seconds, growth = planned["seconds"], planned["growth"] / 2**20
    what = f"plan of {count:,} local documents (prompts sampled), time and memory above axolotl's imports"
    beside = f"{seconds:.0f} s ({planned['cpu']:.0f} s CPU), {growth:.0f} MB"
    alone, shared = written["alone"], written["shared"]
    more, same = alone["growth"] / 2**20, alone["fingerprint"] == shared["fingerprint"]
    ratio, most = shared["seconds"] / alone["seconds"], 1 / (0.8 * written["several"])
    met = same and ratio <= most
    return [
        Figure(what, *_goal("90 s, 300 MB", beside, seconds <= 90 and growth <= 300 and planned["sampled"], count)),
        Figure(
            f"materializing {alone['rows']:,} augmentations, memory",
            *_goal("300 MB", f"{more:.0f} MB, in {alone['seconds']:.0f} s", more <= 300, count),
        ),
        Figure(
            f"the same with {written['several']} workers, time / time with one",
            *_goal(f"{most:.2f}, same bytes", f"{ratio:.2f}, {'same' if same else 'OTHER'} bytes", met, count),
        ),
    ]


if __name__ == "__main__":
    _, part, number, place, *more = sys.argv
    result = {"plan": plan, "write": write}[part](int(number), Path(place), *map(int, more))
    sys.stdout.write("\n" + orjson.dumps(result).decode())
