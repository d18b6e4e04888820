"""All processes of a launch -> one run of the stage: global rank 0 runs it under a file lock, the other ranks wait.

Rank 0 writes the outcome, its launch and the time to `<output_dir>/launch.json`. A waiting process accepts only an
outcome of its own launch that was written after that launch began: rendezvous addresses repeat, so the name alone could
belong to an earlier launch. Waiting here is safe: no collective is pending, so none can time out.
"""

import logging
import os
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from filelock import FileLock

from axolotl_augft.errors import AugftError, OutputError, WaitingFailed
from axolotl_augft.files.durable import read_json, write_json
from axolotl_augft.files.locks import wait_for

LOG = logging.getLogger("axolotl_augft")
T = TypeVar("T")
_LAUNCH_VARIABLES = ("MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_RUN_ID", "TORCHELASTIC_RESTART_COUNT")
_CLOCK_SKEW = 60.0
_POLL = 0.5


@dataclass(frozen=True)
class Launch:
    """The launch that this process belongs to.

    Attributes:
        rank: Global rank of this process.
        name: The launcher's rendezvous variables, joined; the same in all processes of a launch.
        host: Name of this machine.
        began: When the launcher on this machine started, in seconds since 1970; 0 if unknown.
    """

    rank: int
    name: str
    host: str
    began: float

    @classmethod
    def current(cls, environment: Mapping[str, str] | None = None) -> "Launch":
        """Read the variables that torchrun and accelerate set, from `os.environ` by default."""
        environment = os.environ if environment is None else environment
        name = "|".join(environment.get(v, "") for v in _LAUNCH_VARIABLES)
        return cls(int(environment.get("RANK", "0")), name, socket.gethostname(), _launcher_start())


@dataclass(frozen=True)
class LaunchOutcome:
    """How rank 0's run of the stage ended.

    Attributes:
        launch: Name of the launch.
        host: Name of rank 0's machine.
        written: When it was written, in seconds since 1970 by rank 0's clock.
        outcome: Whether rank 0 has a result or failed.
        recipe: Key of the recipe.
        error: Why rank 0 failed; an AugftError's message, else only the exception's type.
    """

    launch: str
    host: str
    written: float
    outcome: Literal["done", "failed"]
    recipe: str
    error: str = ""

    def is_for(self, launch: Launch, recipe_key: str) -> bool:
        """Tell whether a process of `launch` is waiting for this outcome.

        Allows for clocks of two machines that differ by up to a minute.
        """
        skew = 0.0 if self.host == launch.host else _CLOCK_SKEW
        return self.launch == launch.name and self.recipe == recipe_key and self.written >= launch.began - skew


def run_once(folder: Path, recipe_key: str, timeout: float, find: Callable[[], T | None], run: Callable[[], T]) -> T:
    """Return the finished result in every process; rank 0 calls `run` if `find` finds none.

    Args:
        folder: The output folder, shared by all processes.
        recipe_key: Digest that identifies the recipe.
        timeout: Seconds to wait for rank 0, or as rank 0 for another launch.
        find: Returns the finished result or None, quickly and without making it.
        run: Makes the result.

    Raises:
        WaitingFailed: Rank 0 failed, did not finish in time, or finished with a result that is not found here; as
            rank 0, another launch holds the output folder for longer than `timeout`.
        OutputError: As rank 0, the output folder cannot be made or written.
        AugftError: As rank 0, whatever `run` raises.
    """
    launch = Launch.current()
    if launch.rank == 0:
        return _lead(folder, launch, recipe_key, timeout, find, run)
    return _wait(folder, launch, recipe_key, timeout, find)


def _lead(
    folder: Path, launch: Launch, recipe_key: str, timeout: float, find: Callable[[], T | None], run: Callable[[], T]
) -> T:
    def write_outcome(outcome: Literal["done", "failed"], error: str = "") -> None:
        if launch.name.strip("|"):
            record = LaunchOutcome(launch.name, launch.host, time.time(), outcome, recipe_key, error)
            write_json(_outcome_path(folder), asdict(record))

    try:
        result = find()
        if result is None:
            with locked(folder, timeout):
                result = find()
                if result is None:
                    result = run()
    except BaseException as error:
        with suppress(OutputError):
            write_outcome("failed", str(error) if isinstance(error, AugftError) else type(error).__name__)
        raise
    write_outcome("done")
    return result


def locked(folder: Path, timeout: float) -> AbstractContextManager[object]:
    """Lock an output folder, so that one launch at a time writes there.

    Raises:
        OutputError: The folder cannot be made or written.
        WaitingFailed: Another launch holds the lock for longer than `timeout` seconds.
    """
    return wait_for(FileLock(folder / "lock"), timeout, f"{folder}: another launch", "output_dir")


def _wait(folder: Path, launch: Launch, recipe_key: str, timeout: float, find: Callable[[], T | None]) -> T:
    deadline = time.monotonic() + timeout
    result = find()
    while result is None:
        outcome = _read_outcome(folder)
        if outcome is not None and outcome.is_for(launch, recipe_key):
            if outcome.outcome == "failed":
                raise WaitingFailed(f"rank 0 failed: {outcome.error}")
            result = find()
            if result is None:
                raise WaitingFailed(
                    f"rank 0 finished, but its result is not in {folder}; the data files here differ from those it read"
                )
        elif time.monotonic() > deadline:
            raise WaitingFailed(
                f"no result in {folder} after {timeout:g} s (augft.wait_timeout); the folder must be shared by all "
                "nodes, or prepared on each with `axolotl preprocess`"
            )
        else:
            time.sleep(_POLL)
    return result


def _outcome_path(folder: Path) -> Path:
    return folder / "launch.json"


def _read_outcome(folder: Path) -> LaunchOutcome | None:
    data: Any = read_json(_outcome_path(folder))
    try:
        return LaunchOutcome(**data)
    except TypeError:
        return None


def _launcher_start() -> float:
    """Return when the parent process, the launcher, started: before anything that this launch's rank 0 writes."""
    import psutil

    try:
        return float(psutil.Process(os.getppid()).create_time())
    except psutil.Error:
        return 0.0
