"""A teacher -> its managed server: a healthy child process on 127.0.0.1, which is stopped whatever happens."""

import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from axolotl_augft.errors import TeacherServerFailed
from axolotl_augft.teacher.entailment.settings import KEY_VARIABLE
from axolotl_augft.teacher.request import Request
from axolotl_augft.teacher.serving.backends import BACKENDS, Backend
from axolotl_augft.teacher.serving.child import started, terminate_as_exit
from axolotl_augft.teacher.teacher import Teacher
from axolotl_augft.text.tokens import local_model_file

# Set by the launcher of the training; a server that inherited them would join its process group.
_LAUNCHER_VARIABLES = (
    "RANK",
    "LOCAL_RANK",
    "WORLD_SIZE",
    "LOCAL_WORLD_SIZE",
    "GROUP_RANK",
    "ROLE_RANK",
    "MASTER_ADDR",
    "MASTER_PORT",
    # Axolotl sets these for the training; vLLM has crashed with them on several GPUs.
    "PYTORCH_CUDA_ALLOC_CONF",
    "PYTORCH_ALLOC_CONF",
)
_LAUNCHER_PREFIXES = ("ACCELERATE_", "FSDP_", "TORCHELASTIC_", "DEEPSPEED_", "AXOLOTL_")
_LOG_LINES = 12
# Where vLLM, llama.cpp and our own server look for the key that they require.
_KEY_VARIABLES = ("VLLM_API_KEY", "LLAMA_API_KEY", KEY_VARIABLE)


@dataclass(frozen=True)
class RunningServer:
    """A managed server that has become healthy.

    Attributes:
        base_url: Its address, including `/v1`.
        shape: Adds fields for this server to a request's JSON body.
        check: Raises TeacherServerFailed once the server's process has ended.
        api_key: A random key, which vLLM and llama.cpp require of every request and other servers ignore.
    """

    base_url: str
    shape: Callable[[Request, dict[str, Any]], dict[str, Any]]
    check: Callable[[], None]
    api_key: str | None = None


@contextmanager
def managed_server(teacher: Teacher, log: Path) -> Iterator[RunningServer]:
    """Run the teacher's server for the length of a `with` block.

    The block starts once the server is healthy. When it ends, the server's processes have ended too, which frees their
    memory.

    Args:
        teacher: A teacher with a managed backend.
        log: File for the server's output; an earlier one is replaced.

    Raises:
        TeacherServerFailed: The server cannot be started, died, or did not become healthy within `start_timeout`
            seconds, another process listens on its port, or its model is not on this machine. The message names the
            server's log, whose last lines are printed.
    """
    backend = BACKENDS[teacher.backend]
    _check_model(teacher, backend)
    port = _free_port()
    log.parent.mkdir(parents=True, exist_ok=True)
    with terminate_as_exit(), log.open("wb") as output:
        log.chmod(0o600)
        key = secrets.token_urlsafe(32)
        command = backend.command(teacher, port)
        with started(command, output, backend, _environment(teacher, key)) as process:
            urls = [f"http://127.0.0.1:{port}{p}" for p in backend.health_paths]
            _wait_until_healthy(process, urls, teacher.config.start_timeout, log, key, backend)
            _check_owner(process, port, backend)
            shape = backend.shape(teacher)
            yield RunningServer(f"http://127.0.0.1:{port}/v1", shape, lambda: _check(process, log, backend), key)
            if process.poll() is None:
                _check_owner(process, port, backend)


def _check_model(teacher: Teacher, backend: Backend) -> None:
    """Check that the model is on this machine, as far as the server's kind shows it.

    Its configuration was downloaded when the teacher was resolved, if the hub could be reached.

    Raises:
        TeacherServerFailed: It is not.
    """
    if backend.needs_file is None or local_model_file(teacher.model, backend.needs_file) is not None:
        return
    from huggingface_hub import constants

    hub = urlsplit(constants.ENDPOINT).netloc.rpartition("@")[2]
    raise TeacherServerFailed(
        f"the teacher's model {teacher.model!r} is neither a folder of a model nor in the local cache of the hub, and "
        f"it could not be downloaded from {hub}; check augft.teacher.model (or base_model), the network, HF_ENDPOINT "
        "and HF_HUB_OFFLINE, or download it first"
    )


def _environment(teacher: Teacher, key: str) -> dict[str, str]:
    """Return the server's environment: ours without the launcher's variables and the teacher's key, with its own key.

    A key in the environment, unlike one in the command line, is not shown to other users of the machine.
    """
    left_out = {*_LAUNCHER_VARIABLES, teacher.config.api_key_env}
    own = {k: v for k, v in os.environ.items() if k not in left_out and not k.startswith(_LAUNCHER_PREFIXES)}
    return own | dict.fromkeys(_KEY_VARIABLES, key)


def _check_owner(process: "subprocess.Popen[bytes]", port: int, backend: Backend) -> None:
    """Check that the server itself, and not another process, listens on its port.

    The port is chosen, and shown in the list of processes, before the server listens on it. A server of which another
    process listens has told so in its log.

    Raises:
        TeacherServerFailed: Neither it nor a process that it started listens there.
    """
    if backend.ready_mark is not None:
        return
    own: list[psutil.Process] = []
    with suppress(psutil.Error):
        parent = psutil.Process(process.pid)
        own = [parent, *parent.children(recursive=True)]
    for child in own:
        with suppress(psutil.Error):
            if any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in _connections(child)):
                return
    raise TeacherServerFailed(
        f"port {port} of this machine answers, but neither {backend.name} nor a process that it started listens "
        "there; run again to use another port, or start the server yourself (a container, for example) and name it in "
        "augft.teacher.base_url"
    )


def _connections(process: psutil.Process) -> Iterable[Any]:
    """Return a process's TCP sockets; psutil renamed the method in version 6."""
    listing = getattr(process, "net_connections", None) or process.connections
    found: Iterable[Any] = listing(kind="tcp")
    return found


def _wait_until_healthy(
    process: "subprocess.Popen[bytes]", urls: list[str], timeout: float, log: Path, key: str, backend: Backend
) -> None:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        _check(process, log, backend)
        if _says_ready(log, backend) and _is_healthy(urls, key):
            return
        time.sleep(0.25)
    waits_for = _said(log, backend.waiting_mark) if backend.waiting_mark else None
    _print_tail(log)
    raise TeacherServerFailed(
        f"{backend.name} was not healthy after {timeout:g} s (augft.teacher.start_timeout)"
        f"{f', since {waits_for}' if waits_for else ''}; its log is {log}"
    )


def _says_ready(log: Path, backend: Backend) -> bool:
    mark = backend.ready_mark
    return mark is None or mark in log.read_text(errors="replace").splitlines()


def _is_healthy(urls: list[str], key: str) -> bool:
    """Tell whether the first URL that the server knows answers 200."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for url in urls:
        try:
            asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"})
            with opener.open(asked, timeout=5) as response:
                return bool(response.status == 200)
        except urllib.error.HTTPError as error:
            if error.code != 404:
                return False
        except OSError:
            return False
    return False


def _check(process: "subprocess.Popen[bytes]", log: Path, backend: Backend) -> None:
    if process.poll() is None:
        return
    if backend.error_mark and (said := _said(log, backend.error_mark)):
        raise TeacherServerFailed(said)
    _print_tail(log)
    raise TeacherServerFailed(
        f"{backend.name} ended with exit code {process.returncode}; every answer so far is stored; its log is {log}"
    )


def _said(log: Path, mark: str) -> str | None:
    """Return what the last line of a log that begins with a mark says after it."""
    lines = log.read_text(errors="replace").splitlines()
    return next((line.removeprefix(mark) for line in reversed(lines) if line.startswith(mark)), None)


def _print_tail(log: Path) -> None:
    """Print the last lines of a server's log, which may hold texts: to the terminal, never into an error."""
    lines = log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
    shown = ("".join(c if c.isprintable() else " " for c in line)[:300] for line in lines)
    sys.stderr.write(f"augft: last lines of {log}:\n" + "".join(f"  | {line}\n" for line in shown))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
