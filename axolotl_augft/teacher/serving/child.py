"""A command line -> a child process that ends with this one, however this one ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from axolotl_augft.errors import TeacherServerFailed
from axolotl_augft.teacher.serving.backends import Backend

_STOP_SECONDS = 15
# Reads until the pipe from the process that started it is closed; then ends a process, and kills its group.
_GUARD = """
import contextlib, os, signal, sys, time
sys.stdin.read()
pid, seconds = int(sys.argv[1]), float(sys.argv[2])
with contextlib.suppress(ProcessLookupError):
    end = time.monotonic() + seconds
    if seconds:
        os.kill(pid, signal.SIGTERM)
    while time.monotonic() < end:
        os.kill(pid, 0)
        time.sleep(0.1)
with contextlib.suppress(ProcessLookupError):
    os.killpg(pid, signal.SIGKILL)
"""


@contextmanager
def started(
    command: list[str], output: Any, backend: Backend, environment: dict[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a server for the length of a `with` block, with a guard beside it that ends it if this process is killed."""
    process = _start(command, output, backend, environment)
    guard = None
    try:
        guard = _guard(process, backend.stop_alone_seconds)
        yield process
    finally:
        _stop(process, backend.stop_alone_seconds)
        if guard is not None:
            guard.kill()
            guard.communicate()


def _start(command: list[str], output: Any, backend: Backend, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            env=environment, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise TeacherServerFailed(
            f"{backend.name} cannot be started ({command[0]}: {error.strerror}); {backend.remedy}"
        ) from error


def _guard(process: "subprocess.Popen[bytes]", alone_seconds: float) -> "subprocess.Popen[bytes]":
    """Start a process that kills all of a server's processes once this process has ended, however it ends.

    vLLM's engine outlives a server that is killed, and would keep its memory.
    """
    command = [sys.executable, "-I", "-S", "-c", _GUARD, str(process.pid), str(alone_seconds)]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, start_new_session=True)


def _stop(process: "subprocess.Popen[bytes]", alone_seconds: float) -> None:
    """Stop the server's process group with SIGTERM, then with SIGKILL, because its workers may outlive it.

    If the server has something to end elsewhere, it alone is asked first.
    """
    try:
        if alone_seconds:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(alone_seconds)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
    finally:
        # In `finally`, in case a second Ctrl-C interrupts the wait.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def terminate_as_exit() -> Iterator[None]:
    """Make SIGTERM end this process through its `finally` blocks; does nothing outside the main thread."""
    try:
        before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
