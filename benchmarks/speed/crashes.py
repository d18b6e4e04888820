"""Failures -> what is lost and requested again: the stage is killed, the server goes away, the disk fills up.

`python crashes.py URL KILLS FOLDER` prints the figures as JSON. Each run goes from documents through a store to written
files, which are compared byte by byte with those of an undisturbed run.
"""

import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import corpus
import orjson
from clients import teacher
from datasets import Dataset
from measuring import IN_FLIGHT, Figure, child, mock

from axolotl_augft.asking.pacing.pace import Pace
from axolotl_augft.asking.round import Round, RoundCounts
from axolotl_augft.asking.window import ask
from axolotl_augft.config.augment import LocalAugment
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import StoreError
from axolotl_augft.formats.columns import CompletionFormat
from axolotl_augft.judging.pipeline import judged_inferences
from axolotl_augft.output.result import ResultInput, Verdicts, write_result
from axolotl_augft.output.student import load_student
from axolotl_augft.output.writer import RequestCounts
from axolotl_augft.sources.documents import read_documents
from axolotl_augft.sources.source import Source
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.strategies.local import LocalStrategy
from axolotl_augft.strategies.make import AllTasks
from axolotl_augft.teacher.client import Server

DOCUMENTS = 6000


class _Quiet:
    def update(self, asked: RoundCounts) -> None:
        """Show nothing."""


class Stage:
    """The stage without axolotl's loader, whose import takes 20 seconds."""

    def __init__(self, url: str, folder: Path, count: int = DOCUMENTS) -> None:
        self._recipe = Recipe.from_cfg(
            {
                "base_model": "none",
                "augft": {
                    "augment": [corpus.LOCAL],
                    "output_dir": str(folder),
                    "teacher": {"base_url": url, "api": "chat"},
                },
                "datasets": [{"path": "corpus", "type": "completion"}],
            }
        )
        rows = Dataset.from_dict({"text": [corpus.text(i) for i in range(count)]})
        self._source = Source(0, "corpus", rows, CompletionFormat(), CompletionFormat())
        self._url = url

    def __iter__(self) -> Any:
        return read_documents([self._source])

    def _tasks(self) -> AllTasks:
        entry = self._recipe.augft.augment[0]
        assert isinstance(entry, LocalAugment)
        return AllTasks((LocalStrategy(entry, teacher(self._url, IN_FLIGHT), self, "en"),))

    def ask(self) -> None:
        """Request the answers that are missing."""
        with ResponseStore.opened(self._recipe.store_path) as store:
            requests = (t.request for t in self._tasks().in_sending_order())
            ask(requests, Round(Server(self._url, "m", 60), store, Pace(IN_FLIGHT, 8), _Quiet(), trusted=True))

    def written(self) -> str:
        """Write the result, and return a digest of its files."""
        with ResponseStore.opened(self._recipe.store_path) as store:
            judged = judged_inferences(self._tasks().in_document_order(), store, self._recipe.augft)
            counts, student = RequestCounts(DOCUMENTS, 0, 0, {}, {}, 0), load_student(self._recipe)
            given = ResultInput([self._source], Verdicts(judged), student, "mock", counts)
            found = write_result(self._recipe, given)
        files = sorted((self._recipe.output_dir / found.fingerprint).iterdir())
        return hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()

    @property
    def stored(self) -> int:
        """Number of answers on disk."""
        with ResponseStore.opened(self._recipe.store_path) as store:
            return store.spent([t.request.key for t in self._tasks().in_sending_order()]).answers


def _forked(work: Callable[[], None]) -> int:
    """Run work in a fork of this process, and return the fork's id."""
    pid = os.fork()
    if not pid:
        try:
            work()
        finally:
            os._exit(0)
    return pid


def _mock(url: str, path: str) -> dict[str, Any]:
    with urllib.request.urlopen(url.removesuffix("/v1") + path) as response:
        found: dict[str, Any] = orjson.loads(response.read())
        return found


def _repeated(url: str) -> int:
    found: int = _mock(url, "/stats")["repeated"]
    return found


def killed(url: str, folder: Path, kills: int) -> dict[str, Any]:
    """Kill a run with SIGKILL at random moments, and resume it until it is done."""
    stage, draw = Stage(url, folder), random.Random(time.time_ns())
    repeats: list[int] = []
    lost = stored = hit = 0
    while hit < kills:
        before = _repeated(url)
        pid = _forked(stage.ask)
        time.sleep(draw.uniform(0.05, 2.4 / kills))
        if os.waitpid(pid, os.WNOHANG)[0]:
            break
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        hit += 1
        repeats.append(_repeated(url) - before)
        now = stage.stored
        lost += max(0, stored - now)
        stored = now
    before = _repeated(url)
    stage.ask()
    repeats.append(_repeated(url) - before)
    return {"kills": hit, "most_repeated": max(repeats), "lost": lost, "digest": stage.written()}


def server_away(url: str, folder: Path, seconds: int) -> dict[str, Any]:
    """Let the server close its port and all connections halfway through a run."""
    stage = Stage(url, folder)
    halfway = _mock(url, "/stats")["requests"] + DOCUMENTS // 2

    def away() -> None:
        while _mock(url, "/stats")["requests"] < halfway:
            time.sleep(0.02)
        _mock(url, f"/away?{seconds}")

    threading.Thread(target=away).start()
    start = time.monotonic()
    stage.ask()
    return {"repeated": _repeated(url), "seconds": time.monotonic() - start, "digest": stage.written()}


def disk_full(url: str, folder: Path) -> dict[str, Any]:
    """Run on a disk of 3 MB, and enlarge it after it has filled up."""
    disk = folder / "disk"
    disk.mkdir()
    mounted = (
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], capture_output=True).returncode
        == 0
    )
    if not mounted:
        return {"mounted": False}
    try:
        stage = Stage(url, disk)
        error = ""
        try:
            stage.ask()
        except StoreError as raised:
            error = str(raised)
        subprocess.run(["mount", "-o", "remount,size=256m", str(disk)], check=True)
        stage.ask()
        return {"mounted": True, "full": "full" in error, "repeated": _repeated(url), "digest": stage.written()}
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def figures(kills: int) -> list[Figure]:
    """Return the lines of the table."""
    with mock(latency=0.02) as server:
        found = child("crashes.py", server.url, str(kills))
    one, away, full = found["killed"], found["away"], found["full"]
    same = {
        name: "identical" if found[name].get("digest") == found["undisturbed"] else "different"
        for name in ("killed", "away", "full")
    }
    in_flight = f"at most {IN_FLIGHT}, identical"
    lines = [
        Figure(
            f"kill -9 at {one['kills']} random moments: requests asked again a kill, output",
            in_flight,
            f"at most {one['most_repeated']}, {same['killed']}; durable answers lost: {one['lost']}",
            one["most_repeated"] <= IN_FLIGHT and same["killed"] == "identical" and not one["lost"],
        ),
        Figure(
            "server away for 10 s: asked again, output",
            in_flight,
            f"{away['repeated']}, {same['away']}, in {away['seconds']:.0f} s",
            away["repeated"] <= IN_FLIGHT and same["away"] == "identical",
        ),
    ]
    if not full["mounted"]:
        return [*lines, Figure("disk full", in_flight, "not measured: no right to mount a small disk")]
    met = full["full"] and full["repeated"] <= IN_FLIGHT and same["full"] == "identical"
    return [
        *lines,
        Figure(
            "disk full (tmpfs of 3 MB, then enlarged): asked again, output",
            in_flight,
            f"{full['repeated']}, {same['full']}",
            met,
        ),
    ]


def main() -> None:
    """Run all three failures and an undisturbed run."""
    url, kills, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    quiet = Stage(url, folder / "undisturbed")
    quiet.ask()
    result: dict[str, Any] = {"undisturbed": quiet.written()}
    # All parts send the same requests; after a reset, the server counts only repetitions within a part.
    _mock(url, "/reset")
    result["killed"] = killed(url, folder / "killed", kills)
    _mock(url, "/reset")
    result["away"] = server_away(url, folder / "away", 10)
    _mock(url, "/reset")
    result["full"] = disk_full(url, folder)
    sys.stdout.write(orjson.dumps(result).decode())


if __name__ == "__main__":
    main()
