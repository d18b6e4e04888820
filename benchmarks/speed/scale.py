"""Many documents -> seconds and memory of planning and of writing results, measured in a new process.

`python scale.py plan|write COUNT FOLDER` prints them as JSON. `plan` runs `axolotl augft plan` on a Parquet file, with
a tokenizer; `write` makes one augmentation per document from stored answers.
"""

import importlib
import sys
import time
from collections.abc import Iterator
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


def write(count: int, folder: Path) -> dict[str, Any]:
    """Measure writing the results of a full store: seconds and memory."""
    from axolotl_augft.output.result import Verdicts, write_result
    from axolotl_augft.output.student import load_student
    from axolotl_augft.output.writer import RequestCounts
    from axolotl_augft.stage import Prepared, prepared
    from axolotl_augft.teacher.answer import Answer, Outcome

    recipe = _recipe(count, folder)
    _import_axolotl()

    def answered(ready: Prepared) -> Iterator[Any]:
        for i, request in enumerate(ready.requests()):
            yield (
                request,
                Answer(
                    Outcome.ANSWERED,
                    f"[1] rephrasing: Put in other words, that is number {i} of a long list.",
                    "stop",
                    9,
                    0,
                    9,
                ),
            )

    with prepared(recipe) as ready:
        answers = answered(ready)
        while some := list(islice(answers, 2000)):
            ready.store.put(some)
        before, start = _reset_peak(), time.monotonic()
        judged = ready.judged(leaks=False)
        found = write_result(
            recipe,
            ready.sources,
            Verdicts(judged),
            load_student(recipe),
            "mock",
            RequestCounts(ready.documents.count, count, 0, {}, 0),
        )
    rows = sum(e.augmented.rows for e in found.entries if e.augmented)
    return {"seconds": time.monotonic() - start, "growth": _peak() - before, "rows": rows}


def _goal(goal: str, figure: str, met: bool, count: int) -> tuple[str, str, bool | None]:
    """Apply goals, which are for a million documents, only to runs of at least that many."""
    return (goal, figure, met) if count >= 1_000_000 else ("", figure, None)


def figures(count: int) -> list[Figure]:
    """Return the lines of the table."""
    planned, written = child("scale.py", "plan", str(count)), child("scale.py", "write", str(count))
    seconds, growth = planned["seconds"], planned["growth"] / 2**20
    what = f"plan of {count:,} local documents (prompts sampled), time and memory above axolotl's imports"
    beside = f"{seconds:.0f} s ({planned['cpu']:.0f} s CPU), {growth:.0f} MB"
    more = written["growth"] / 2**20
    return [
        Figure(what, *_goal("90 s, 300 MB", beside, seconds <= 90 and growth <= 300 and planned["sampled"], count)),
        Figure(
            f"materializing {written['rows']:,} augmentations, memory",
            *_goal("300 MB", f"{more:.0f} MB, in {written['seconds']:.0f} s", more <= 300, count),
        ),
    ]


if __name__ == "__main__":
    _, part, number, place = sys.argv
    result = {"plan": plan, "write": write}[part](int(number), Path(place))
    sys.stdout.write("\n" + orjson.dumps(result).decode())
