"""A million documents -> what each step of the stage takes: plan, run, kill -9, resume, writing.

    python benchmarks/million.py --documents 1000000 --out build/million

The commands are a user's own: `axolotl augft plan` and `axolotl augft run`, with a mock server as the teacher
(`speed/mock_server.py`), which answers at once. The documents are generated (`speed/corpus.py`, 170 tokens on average);
`local` asks once about each, `global` once about each among others. The run is killed with SIGKILL when half of the
requests are sent, and resumed to its end. Each step is split by what it was doing: before its first request (`laying
out`), until the last one (`asking`), and after it (`writing`). --again runs once more with the result there, and
once with all answers stored and no result.

Figures are added to a CSV file. Processor time and memory are those of the command, its own processes included;
`memory` is what it has allocated, `mapped` the parts of files that it has mapped. Disk is what the folder holds,
temporary files included.
"""

import argparse
import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import psutil
import yaml

sys.path.insert(0, str(Path(__file__).parent / "speed"))
from measuring import MockServer, environment, mock
from scale import trained_tokenizer, write_corpus

STRATEGIES: dict[str, dict[str, Any]] = {
    "local": {"strategy": "local", "unit_tokens": 100_000, "example_choice": "fixed"},
    "global": {"strategy": "global"},
}
_LOOKED_EVERY = 0.5
_FEW = 20_000
"""Documents about which a run is over so soon that it is looked at ten times as often."""
_MB = 2**20
_STARTED = "from axolotl_augft.cli.main import augft; augft()"


@dataclass(frozen=True)
class Step:
    """What one step took.

    Attributes:
        documents: Number of documents.
        strategy: The `augment` entry.
        step: Which command, and what it was doing.
        seconds: Wall time.
        cpu_seconds: Processor time.
        memory_mb: Most memory allocated at a time, in MB.
        mapped_mb: Most memory of mapped files at a time, in MB.
        disk_mb: What the folder held at most, in MB.
        requests: Requests that arrived at the server.
    """

    documents: int
    strategy: str
    step: str
    seconds: float
    cpu_seconds: float
    memory_mb: float
    mapped_mb: float
    disk_mb: float
    requests: int


@dataclass(frozen=True)
class Look:
    """A command as it is at one moment, in the units of `Step`; `cpu` counts from its start."""

    at: float
    cpu: float
    memory: float
    mapped: float
    disk: float
    requests: int


@dataclass(frozen=True)
class Scene:
    """Where the measured commands run.

    Attributes:
        folder: Holds everything that is written.
        recipe: The recipe.
        server: The mock server.
        documents: Number of documents.
        strategy: The `augment` entry.
    """

    folder: Path
    recipe: Path
    server: MockServer
    documents: int
    strategy: str

    @property
    def requests(self) -> int:
        """Number of requests that have arrived at the server."""
        return int(self.server.get("/stats")["requests"])

    def steps(self, command: str, title: str, until: Callable[[Look], bool] | None = None) -> Iterator[Step]:
        """Run a command, kill it once `until` says so, and yield what its parts took."""
        looks = [*_watched(command, self, until)]
        first, last = looks[0].requests, looks[-1].requests
        begun = next((i for i, look in enumerate(looks) if look.requests > first), len(looks) - 1)
        ended = next((i for i, look in enumerate(looks) if look.requests == last), 0)
        parts = {"laying out": looks[: begun + 1], "asking": looks[begun : ended + 1], "writing": looks[ended:]}
        if last == first:
            parts = {"": looks}
        for doing, part in parts.items():
            if len(part) > 1:
                yield self._step(f"{title}: {doing}" if doing else title, part)

    def _step(self, title: str, looks: list[Look]) -> Step:
        start, end = looks[0], looks[-1]
        return Step(
            self.documents,
            self.strategy,
            title,
            seconds=round(end.at - start.at, 1),
            cpu_seconds=round(end.cpu - start.cpu, 1),
            memory_mb=round(max(look.memory for look in looks)),
            mapped_mb=round(max(look.mapped for look in looks)),
            disk_mb=round(max(look.disk for look in looks)),
            requests=end.requests - start.requests,
        )


def _watched(command: str, scene: Scene, until: Callable[[Look], bool] | None) -> Iterator[Look]:
    """Run a command, and look at it again and again; the last look is at its end."""
    temporary = scene.folder / "temporary"
    temporary.mkdir(exist_ok=True)
    before = scene.requests
    with (scene.folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", _STARTED, command, str(scene.recipe)],
            env={**environment(), "TMPDIR": str(temporary), "SQLITE_TMPDIR": str(temporary)},
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    yield Look(time.monotonic(), 0, 0, 0, _held(scene.folder, ()), before)
    look = None
    while process.poll() is None:
        time.sleep(_LOOKED_EVERY / (10 if scene.documents < _FEW else 1))
        look = _look(process.pid, scene) or look
        if look is not None:
            yield look
            if until is not None and until(look):
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                return
    if process.returncode:
        sys.exit(f"{command} failed; see {scene.folder / 'log'}")


def _look(pid: int, scene: Scene) -> Look | None:
    """Look at a process and its children; None if it has ended."""
    try:
        own = psutil.Process(pid)
        children = own.children(recursive=True)
        processes = [own, *children]
        # User and system time, its own and that of children that have ended; of the others, their own.
        cpu = sum(own.cpu_times()[:4]) + sum(sum(p.cpu_times()[:2]) for p in children)
        usage = [p.memory_info() for p in processes]
        disk = _held(scene.folder, processes)
    except (psutil.NoSuchProcess, FileNotFoundError):
        return None
    mapped = sum(u.shared for u in usage)
    memory = sum(u.rss for u in usage) - mapped
    return Look(time.monotonic(), cpu, memory / _MB, mapped / _MB, disk, scene.requests)


def _held(folder: Path, processes: Sequence[psutil.Process]) -> float:
    """Return the MB that a folder takes on disk, with files that only a process still holds."""
    blocks = 0
    held = (link for p in processes for link in Path(f"/proc/{p.pid}/fd").iterdir())
    for file in (*folder.rglob("*"), *held):
        try:
            found = file.stat()
        except OSError:
            continue
        if file.is_relative_to(folder) or found.st_nlink == 0:
            blocks += found.st_blocks
    return blocks * 512 / _MB


@contextmanager
def _scene(documents: int, strategy: str, folder: Path) -> Iterator[Scene]:
    """Make the corpus, unless it is there, and a recipe of one strategy; delete what it wrote afterwards."""
    corpus, own = folder / f"corpus-{documents}.parquet", folder / strategy
    folder.mkdir(parents=True, exist_ok=True)
    if not corpus.exists():
        write_corpus(documents, corpus.with_suffix(".part"), 20)
        corpus.with_suffix(".part").rename(corpus)
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir()
    student = trained_tokenizer(own / "student")
    with mock() as server:
        recipe = {
            "base_model": str(student),
            "plugins": ["axolotl_augft.AugFTPlugin"],
            "datasets": [{"path": str(corpus), "ds_type": "parquet", "type": "completion"}],
            "dataset_prepared_path": str(own / "prepared"),
            "sequence_len": 4096,
            "augft": {
                "teacher": {"base_url": server.url, "model": "mock", "api": "chat"},
                "augment": [STRATEGIES[strategy]],
                "output_dir": str(own / "result"),
                "store": str(own / "responses.sqlite"),
            },
        }
        (own / "recipe.yml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
        yield Scene(own, own / "recipe.yml", server, documents, strategy)
    shutil.rmtree(own)


def measured(scene: Scene, again: bool) -> Iterator[Step]:
    """Yield what each step takes, from the plan to the written result."""
    yield from scene.steps("plan", "plan")
    half = scene.documents // 2
    yield from scene.steps("run", "run, killed halfway", lambda look: look.requests >= half)
    yield from scene.steps("run", "resumed run")
    repeated = int(scene.server.get("/stats")["repeated"])
    print(f"{scene.strategy}: {repeated} requests were asked again after the kill", file=sys.stderr, flush=True)
    if again:
        yield from scene.steps("run", "run with the result there")
        shutil.rmtree(scene.folder / "result")
        yield from scene.steps("run", "run with all answers stored")


def _line(step: Step) -> str:
    cells = [
        *(f"{step.documents:,}", step.strategy, step.step, f"{step.seconds:,.0f}", f"{step.cpu_seconds:,.0f}"),
        *(f"{n:,.0f}" for n in (step.memory_mb, step.mapped_mb, step.disk_mb, step.requests)),
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure, print a table, and add the figures to a CSV file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--out", type=Path, default=Path("build/million"), help="folder for everything that is written")
    parser.add_argument("--strategies", default=",".join(STRATEGIES))
    parser.add_argument("--again", action="store_true", help="run twice more, with nothing left to ask")
    parser.add_argument("--csv", type=Path, help="file for the figures; those of this size in it are replaced")
    args = parser.parse_args()
    print("| documents | strategy | step | s | CPU s | memory, MB | mapped, MB | disk, MB | requests |")
    print("|---:|---|---|---:|---:|---:|---:|---:|---:|", flush=True)
    for strategy in args.strategies.split(","):
        steps = []
        with _scene(args.documents, strategy, args.out) as scene:
            for step in measured(scene, args.again):
                steps.append(step)
                print(_line(step), flush=True)
        if args.csv:
            _keep(args.csv, steps)


def _keep(file: Path, steps: list[Step]) -> None:
    """Add figures to a CSV file, in place of those of the same size and strategy."""
    rows = list(csv.DictReader(file.open(encoding="utf-8"))) if file.exists() else []
    measured_now = {(str(step.documents), step.strategy) for step in steps}
    kept = [row for row in rows if (row["documents"], row["strategy"]) not in measured_now]
    everything = [*kept, *({name: str(value) for name, value in asdict(step).items()} for step in steps)]
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, [field.name for field in fields(Step)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(everything, key=lambda row: (row["strategy"], int(row["documents"]))))


if __name__ == "__main__":
    main()
