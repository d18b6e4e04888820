"""A managed server: started as a child on 127.0.0.1, awaited until it is healthy, stopped whatever happens.

The seam for further servers: a `Backend` with its command line and health paths, and a line in `BACKENDS`.
"""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from axolotl_augft.errors import TeacherServerFailed
from axolotl_augft.teacher.request import Request
from axolotl_augft.teacher.teacher import Teacher

# A trainer's launcher sets these; a server that saw them would join the training's process group.
_LAUNCHER_VARIABLES = (
    "RANK",
    "LOCAL_RANK",
    "WORLD_SIZE",
    "LOCAL_WORLD_SIZE",
    "GROUP_RANK",
    "ROLE_RANK",
    "MASTER_ADDR",
    "MASTER_PORT",
    # Axolotl's choice for the trainer; vLLM has crashed with it on several GPUs.
    "PYTORCH_CUDA_ALLOC_CONF",
    "PYTORCH_ALLOC_CONF",
)
_LAUNCHER_PREFIXES = ("ACCELERATE_", "FSDP_", "TORCHELASTIC_", "DEEPSPEED_", "AXOLOTL_")
_LOG_LINES = 12
_STOP_SECONDS = 15
_PR_SET_PDEATHSIG = 1


Shape = Callable[[Teacher], Callable[[Request, dict[str, Any]], dict[str, Any]]]


@dataclass(frozen=True)
class Backend:
    """How a server is started.

    `health_paths`: where it says that it is healthy; a path that it does not know (404) is passed over for the next.
    `shape` adds to a request's JSON body what only this server understands. `remedy`: what to do where its program is
    missing.
    """

    command: Callable[[Teacher, int], list[str]]
    health_paths: tuple[str, ...]
    shape: Shape
    remedy: str


def _as_it_is(teacher: Teacher) -> Callable[[Request, dict[str, Any]], dict[str, Any]]:
    return lambda request, body: body


def _program(name: str) -> str:
    """The program beside this Python, else on the PATH."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name) or name


def _transformers_command(teacher: Teacher, port: int) -> list[str]:
    return [
        _program("transformers"),
        "serve",
        teacher.model,
        "--continuous-batching",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        *teacher.config.serve_args,
    ]


def _transformers_shape(teacher: Teacher) -> Callable[[Request, dict[str, Any]], dict[str, Any]]:
    """`transformers serve` samples only if the generation config says so, and ignores stop sequences when it batches.

    Both can be said in a `generation_config` of the request (transformers 5.16): `do_sample`, and further end-of-text
    tokens for stop sequences that are one token. The client cuts at the others.
    """
    base = _end_tokens(teacher)
    single_token = lru_cache(_single_token(teacher))

    def shape(request: Request, body: dict[str, Any]) -> dict[str, Any]:
        if not base:
            return body
        sampling = request.sampling
        ends = [*base, *(t for t in map(single_token, sampling.stop) if t is not None)]
        config = {
            "max_new_tokens": sampling.max_tokens,
            "eos_token_id": sorted(set(ends)),
            "do_sample": sampling.temperature > 0,
        }
        if sampling.temperature > 0:
            config |= {"temperature": sampling.temperature, "top_p": sampling.top_p or 1.0, "top_k": 0}
        return {**body, "generation_config": orjson.dumps(config).decode()}

    return shape


def _end_tokens(teacher: Teacher) -> list[int]:
    from transformers import GenerationConfig

    try:
        eos = GenerationConfig.from_pretrained(teacher.model).eos_token_id
    except OSError:
        return []
    return [eos] if isinstance(eos, int) else list(eos or [])


def _single_token(teacher: Teacher) -> Callable[[str], int | None]:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(teacher.model)

    def token(stop: str) -> int | None:
        ids = tokenizer.encode(stop, add_special_tokens=False)
        return ids[0] if len(ids) == 1 else None

    return token


def _vllm_command(teacher: Teacher, port: int) -> list[str]:
    """`vllm serve`, with usage that says how many prompt tokens came from the cache, and without a log line a request.

    Flags as in vLLM 0.33. What `serve_args` names is left to them: vLLM warns of a flag given twice.
    """
    own = teacher.config.serve_args
    named = {word.split("=")[0].replace("_", "-") for word in own}
    parallel = [] if named & {"--tensor-parallel-size", "-tp"} else ["--tensor-parallel-size", str(_visible_gpus())]
    caching = [] if named & {"--enable-prefix-caching", "--no-enable-prefix-caching"} else ["--enable-prefix-caching"]
    quiet = [f for f in ("--enable-prompt-tokens-details", "--disable-uvicorn-access-log") if f not in named]
    return [
        _program("vllm"),
        "serve",
        teacher.model,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        *parallel,
        *caching,
        *quiet,
        *own,
    ]


def _visible_gpus() -> int:
    """GPUs that CUDA_VISIBLE_DEVICES leaves, at least 1; counted without taking memory on any."""
    import torch

    return max(1, torch.cuda.device_count())


def _own_command(teacher: Teacher, port: int) -> list[str]:
    words = teacher.config.serve_command or []
    return [word.replace("{port}", str(port)).replace("{model}", teacher.model) for word in words]


BACKENDS = {
    "transformers": Backend(
        _transformers_command, ("/health",), _transformers_shape, "install it with `pip install 'axolotl-augft[serve]'`"
    ),
    "vllm": Backend(_vllm_command, ("/health",), _as_it_is, "install it with `pip install 'axolotl-augft[vllm]'`"),
    "command": Backend(_own_command, ("/health", "/v1/models"), _as_it_is, "check augft.teacher.serve_command"),
}


@dataclass(frozen=True)
class RunningServer:
    """A healthy managed server. `check` raises TeacherServerFailed once its process has ended."""

    base_url: str
    shape: Callable[[Request, dict[str, Any]], dict[str, Any]]
    check: Callable[[], None]


@contextmanager
def managed_server(teacher: Teacher, log: Path) -> Iterator[RunningServer]:
    """Starts the teacher's server, waits until it is healthy, and stops it at the end, with its memory free by then.

    Args:
        teacher: A teacher with a managed backend.
        log: File for the server's output, replaced.

    Raises:
        TeacherServerFailed: It died or did not become healthy in `start_timeout` seconds; with the last lines of its
    log.
    """
    backend = BACKENDS[teacher.backend]
    port = _free_port()
    log.parent.mkdir(parents=True, exist_ok=True)
    with _terminate_as_exit(), log.open("wb") as output:
        process = _start(backend.command(teacher, port), output, backend.remedy)
        try:
            _wait_until_healthy(
                process,
                [f"http://127.0.0.1:{port}{p}" for p in backend.health_paths],
                teacher.config.start_timeout,
                log,
            )
            yield RunningServer(f"http://127.0.0.1:{port}/v1", backend.shape(teacher), lambda: _check(process, log))
        finally:
            _stop(process)


def _start(command: list[str], output: Any, remedy: str) -> "subprocess.Popen[bytes]":
    environment = {
        k: v for k, v in os.environ.items() if k not in _LAUNCHER_VARIABLES and not k.startswith(_LAUNCHER_PREFIXES)
    }
    try:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            env=environment, start_new_session=True, preexec_fn=_die_with_parent,
        )  # fmt: skip
    except OSError as error:
        raise TeacherServerFailed(
            f"the teacher's server cannot be started ({command[0]}: {error.strerror}); {remedy}"
        ) from error


def _die_with_parent() -> None:
    """Linux: the kernel ends the server if this process is killed without a chance to stop it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _wait_until_healthy(process: "subprocess.Popen[bytes]", urls: list[str], timeout: float, log: Path) -> None:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        _check(process, log)
        if _is_healthy(urls):
            return
        time.sleep(0.25)
    raise TeacherServerFailed(
        f"the teacher's server was not healthy after {timeout:g} s (augft.teacher.start_timeout); last lines of "
        f"{log}:{_tail(log)}"
    )


def _is_healthy(urls: list[str]) -> bool:
    """Whether the first of these addresses that the server knows answers 200."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for url in urls:
        try:
            with opener.open(url, timeout=5) as response:
                return bool(response.status == 200)
        except urllib.error.HTTPError as error:
            if error.code != 404:
                return False
        except OSError:
            return False
    return False


def _check(process: "subprocess.Popen[bytes]", log: Path) -> None:
    if process.poll() is not None:
        raise TeacherServerFailed(
            f"the teacher's server ended with exit code {process.returncode}; every answer so far is stored; "
            f"last lines of {log}:{_tail(log)}"
        )


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
    return "".join(f"\n  | {line[:300]}" for line in lines) or " (empty)"


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Ends the server and whatever it started: politely, then, as its workers may outlive it, the whole process group for good."""
    try:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
    finally:
        # Also where a second Ctrl-C comes while it is waited for.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _terminate_as_exit() -> Iterator[None]:
    """While a server runs, SIGTERM ends this process through its `finally` blocks (only the main thread may set that)."""
    try:
        before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
