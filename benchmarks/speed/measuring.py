"""A measurement -> a mock server and clients, each in a process of its own; the server on a core of its own."""

import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

HERE = Path(__file__).parent
IN_FLIGHT = 64


@dataclass(frozen=True)
class Figure:
    """A line of the table; `met` is None without a goal."""

    what: str
    goal: str
    figure: str
    met: bool | None = None


@dataclass(frozen=True)
class MockServer:
    """A running mock server."""

    port: int

    @property
    def url(self) -> str:
        """Base URL for clients."""
        return f"http://127.0.0.1:{self.port}/v1"

    def get(self, path: str) -> dict[str, Any]:
        """Return the JSON at one of the server's own paths, such as /stats."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as response:
            found: dict[str, Any] = orjson.loads(response.read())
            return found


@contextmanager
def mock(**options: float) -> Iterator[MockServer]:
    """Start the mock server on the last core of those that this process may use."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [*range(os.cpu_count() or 1)]
    settings = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    command = [
        sys.executable,
        str(HERE / "mock_server.py"),
        *(["--core", str(cores[-1])] if len(cores) > 1 else []),
        *settings,
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield MockServer(int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()


def client(name: str, server: MockServer, count: int, *further: MockServer) -> dict[str, Any]:
    """Run a client in a new process, and return its figures; `further` servers are asked beside the first."""
    urls = ",".join(one.url for one in (server, *further))
    return child("clients.py", name, urls, str(count), str(IN_FLIGHT))


def child(script: str, *arguments: str) -> dict[str, Any]:
    """Run a script of this folder, with a scratch folder as its last argument, and parse the JSON it prints."""
    with tempfile.TemporaryDirectory(prefix="augft-bench-") as folder:
        command = [sys.executable, str(HERE / script), *arguments, folder]
        output = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment()).stdout
    found: dict[str, Any] = orjson.loads(output.splitlines()[-1])
    return found


def environment() -> dict[str, str]:
    """Environment that lets child processes import this copy of the package, and keeps them off the network."""
    own = os.pathsep.join([str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": own, "HF_HUB_OFFLINE": "1", "AXOLOTL_DO_NOT_TRACK": "1"}
