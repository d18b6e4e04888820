"""The kinds of managed servers: a teacher and a port -> a command line, and what a request to such a server needs.

To add a server, write a `Backend` with its command line and health paths, and add it to `BACKENDS`.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from axolotl_augft.config.teacher import ReplicaRange
from axolotl_augft.errors import TeacherServerFailed
from axolotl_augft.teacher.entailment.settings import ERROR_MARK
from axolotl_augft.teacher.programs import program, python_of
from axolotl_augft.teacher.request import Request
from axolotl_augft.teacher.serving import ray_serve
from axolotl_augft.teacher.teacher import Teacher

# Without an accelerator, `transformers serve` (5.20) takes nine tenths of all memory for its cache, used or not.
_ACCELERATORS = ("/dev/nvidia0", "/dev/nvidiactl", "/dev/kfd", "/dev/dri", "/dev/dxg")
_CACHE_SIZES = ("--cb-max-memory-percent", "--cb-num-blocks")
_SMALL_CACHE = ["--cb-max-memory-percent", "0.25"]
# Ray Serve adds replicas while those that run have more requests each; vLLM answers up to 256 at a time.
_REQUESTS_OF_A_REPLICA = 128
_PREFIX_ROUTER = "ray.serve.llm.request_router.PrefixCacheAffinityRouter"

Shape = Callable[[Teacher], Callable[[Request, dict[str, Any]], dict[str, Any]]]


@dataclass(frozen=True)
class Backend:
    """A kind of managed server.

    Attributes:
        command: Makes the command line from a teacher and a port.
        health_paths: Paths that answer 200 once the server is healthy; one that it does not know (404) is skipped.
        shape: Makes, for a teacher, the function that adds fields for this server to a request's JSON body.
        remedy: What to do if its program cannot be started, for the error.
        name: What errors call it.
        error_mark: How a line of its log begins that says why it ended; such a line becomes the error. None if it has
            no such lines.
        needs_file: A file without which it can load no model from the hub; None if models come in several forms.
        ready_mark: The line of its log that says that it listens on its port, for a server of which another process
            does, on its behalf. If None, the listener must be the server or a process that it started.
        waiting_mark: How a line of its log begins that says what it waits for.
        stop_alone_seconds: How long its first process alone has, after SIGTERM, to end what runs elsewhere.
    """

    command: Callable[[Teacher, int], list[str]]
    health_paths: tuple[str, ...]
    shape: Shape
    remedy: str
    name: str = "the teacher's server"
    error_mark: str | None = None
    needs_file: str | None = None
    ready_mark: str | None = None
    waiting_mark: str | None = None
    stop_alone_seconds: float = 0


def _unshaped(teacher: Teacher) -> Callable[[Request, dict[str, Any]], dict[str, Any]]:
    return lambda request, body: body


def _transformers_command(teacher: Teacher, port: int) -> list[str]:
    given = teacher.config.serve_args
    command = [program("transformers"), "serve", teacher.model, "--continuous-batching"]
    if not any(argument.startswith(_CACHE_SIZES) for argument in given) and not _has_accelerator():
        command += _SMALL_CACHE
    return [*command, "--host", "127.0.0.1", "--port", str(port), *given]


def _has_accelerator() -> bool:
    return any(map(os.path.exists, _ACCELERATORS))


def _transformers_shape(teacher: Teacher) -> Callable[[Request, dict[str, Any]], dict[str, Any]]:
    """Make `transformers serve` sample and stop as the request says.

    By itself it samples only if the model's generation config says so, and it ignores stop sequences when it batches.
    The request's `generation_config` field (transformers 5.16) overrides both: `do_sample`, and more end-of-text tokens
    for stop sequences of a single token. The client cuts answers at the other stop sequences.
    """
    base = _end_tokens(teacher)
    if not base:
        return _unshaped(teacher)
    single_token = lru_cache(_single_token(teacher))

    def shape(request: Request, body: dict[str, Any]) -> dict[str, Any]:
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

    try:
        tokenizer = AutoTokenizer.from_pretrained(teacher.model)
    except (OSError, ValueError) as error:
        raise TeacherServerFailed(
            f"the tokenizer of the teacher's model {teacher.model!r} is not on this machine and cannot be downloaded "
            f"({type(error).__name__}); check augft.teacher.model, or download the model first"
        ) from None

    def token(stop: str) -> int | None:
        ids = tokenizer.encode(stop, add_special_tokens=False)
        return ids[0] if len(ids) == 1 else None

    return token


def _vllm_command(teacher: Teacher, port: int) -> list[str]:
    """Build the `vllm serve` command line.

    The server reports how many prompt tokens came from its cache, and does not log every request. The flags are those
    of vLLM 0.33. A flag that `serve_args` names is not added, because vLLM warns about a flag given twice.
    """
    own = teacher.config.serve_args
    named = {word.split("=")[0].replace("_", "-") for word in own}
    parallel = [] if named & {"--tensor-parallel-size", "-tp"} else ["--tensor-parallel-size", str(_visible_gpus())]
    caching = [] if named & {"--enable-prefix-caching", "--no-enable-prefix-caching"} else ["--enable-prefix-caching"]
    quiet = [f for f in ("--enable-prompt-tokens-details", "--disable-uvicorn-access-log") if f not in named]
    return [
        program("vllm"),
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


def _vllm_shape(teacher: Teacher) -> Callable[[Request, dict[str, Any]], dict[str, Any]]:
    """Leave out the seed on a machine without an accelerator, where it ends vLLM's engine (0.32)."""
    if _has_accelerator():
        return _unshaped(teacher)
    return lambda request, body: {name: value for name, value in body.items() if name != "seed"}


def _visible_gpus() -> int:
    """Count the GPUs that CUDA_VISIBLE_DEVICES leaves, at least 1, without allocating memory on any."""
    import torch

    return max(1, torch.cuda.device_count())


def _ray_command(teacher: Teacher, port: int) -> list[str]:
    """Build the command line of the program that has Ray Serve run an application, with the Python that has Ray."""
    own = teacher.config.ray_app
    app, arguments = (own, {"model": teacher.model}) if own else (ray_serve.LLM_APP, _llm_app_arguments(teacher))
    command = [python_of("ray"), ray_serve.__file__, app]
    return [*command, "--port", str(port), "--args", orjson.dumps(arguments).decode()]


def _llm_app_arguments(teacher: Teacher) -> dict[str, Any]:
    """Return the arguments of Ray Serve's application for language models, in the names of Ray 2.60."""
    config = teacher.config
    number = config.replicas or ReplicaRange.model_validate({})
    if isinstance(number, int):
        number = ReplicaRange(min=number, max=number)
    scaling = {"min_replicas": number.min, "target_ongoing_requests": _REQUESTS_OF_A_REPLICA}
    if number.max is not None:
        scaling["max_replicas"] = number.max
    source = str(Path(teacher.model).resolve()) if Path(teacher.model).is_dir() else teacher.model
    model = {
        "model_loading_config": {"model_id": teacher.model, "model_source": source},
        "deployment_config": {
            "autoscaling_config": scaling,
            "request_router_config": {"request_router_class": _PREFIX_ROUTER},
        },
        "engine_kwargs": {"enable_prompt_tokens_details": True, **(config.engine or {})},
    }
    return {"llm_configs": [model]}


def _own_command(teacher: Teacher, port: int) -> list[str]:
    words = teacher.config.serve_command or []
    return [word.replace("{port}", str(port)).replace("{model}", teacher.model) for word in words]


def _entailment_command(teacher: Teacher, port: int) -> list[str]:
    """Build the command line of our own server; -P keeps modules of the working directory out of it."""
    own = [sys.executable, "-P", "-m", "axolotl_augft.teacher.entailment", teacher.model]
    return [*own, "--host", "127.0.0.1", "--port", str(port), *teacher.config.serve_args]


BACKENDS = {
    "transformers": Backend(
        _transformers_command,
        ("/health",),
        _transformers_shape,
        "install it with `pip install 'axolotl-augft[serve]'`",
        needs_file="config.json",
    ),
    "vllm": Backend(_vllm_command, ("/health",), _vllm_shape, "install it with `pip install 'axolotl-augft[vllm]'`"),
    "ray": Backend(
        _ray_command,
        ("/v1/models",),
        _unshaped,
        "install Ray Serve with `pip install 'axolotl-augft[ray]'`, or put the environment that has it on the PATH",
        error_mark=ray_serve.ERROR_MARK,
        ready_mark=ray_serve.READY_MARK,
        waiting_mark=ray_serve.WAITING_MARK,
        stop_alone_seconds=60,
    ),
    "command": Backend(_own_command, ("/health", "/v1/models"), _unshaped, "check augft.teacher.serve_command"),
    "entailment": Backend(
        _entailment_command,
        ("/health",),
        _unshaped,
        "check that Python can be started",
        "the entailment model's server",
        ERROR_MARK,
    ),
}
