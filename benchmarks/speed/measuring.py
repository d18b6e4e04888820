"""What all measurements share: the mock server and the clients, each in a process of its own on its own core."""

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
    """A line of the table. `met` is None where there is no goal."""

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
        """What the server says at a path of its own."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as response:
            found: dict[str, Any] = orjson.loads(response.read())
            return found


@contextmanager
def mock(**options: float) -> Iterator[MockServer]:
    """Starts the mock server on the last core."""
    cores = os.cpu_count() or 1
    settings = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    command = [
        sys.executable,
        str(HERE / "mock_server.py"),
        *(["--core", str(cores - 1)] if cores > 1 else []),
        *settings,
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield MockServer(int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()


def client(name: str, server: MockServer, count: int, in_flight: int = IN_FLIGHT) -> dict[str, Any]:
    """Runs a client in a fresh process and returns its figures."""
    return child("clients.py", name, server.url, str(count), str(in_flight))


def child(script: str, *arguments: str) -> dict[str, Any]:
    """Runs a script of this folder with a scratch folder as last argument; its output is JSON."""
    with tempfile.TemporaryDirectory(prefix="augft-bench-") as folder:
        command = [sys.executable, str(HERE / script), *arguments, folder]
        output = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment()).stdout
    found: dict[str, Any] = orjson.loads(output.splitlines()[-1])
    return found


def environment() -> dict[str, str]:
    """The children import this copy of the package, and reach no network."""
    own = os.pathsep.join([str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": own, "HF_HUB_OFFLINE": "1", "AXOLOTL_DO_NOT_TRACK": "1"}
