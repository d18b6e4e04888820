"""A teacher on Ray Serve: what is started for which settings, what is refused, and how such a server is ended."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from pydantic import ValidationError

from axolotl_augft.config.teacher import TeacherConfig
from axolotl_augft.errors import TeacherServerFailed
from axolotl_augft.teacher.programs import python_of
from axolotl_augft.teacher.serving import backends, ray_serve
from axolotl_augft.teacher.serving.backends import BACKENDS, Backend
from axolotl_augft.teacher.serving.servers import managed_server
from tests.teacher.serving.test_servers import MOCK_SERVER, ROOT, teacher

ROUTER = {"request_router_class": "ray.serve.llm.request_router.PrefixCacheAffinityRouter"}


def started(**config) -> tuple[str, dict]:
    """The application that a `teacher:` block has Ray Serve run, and its arguments."""
    command = BACKENDS["ray"].command(teacher(backend="ray", **config), 8123)
    assert command[1] == ray_serve.__file__ and command[3:6] == ["--port", "8123", "--args"]
    return command[2], json.loads(command[6])


@pytest.mark.parametrize(
    ("settings", "scaling", "engine"),
    [
        ({}, {"min_replicas": 1, "target_ongoing_requests": 128}, {}),
        (
            {"replicas": 4},
            {"min_replicas": 4, "max_replicas": 4, "target_ongoing_requests": 128},
            {},
        ),
        (
            {"replicas": {"min": 2, "max": 8}, "engine": {"max_model_len": 8192, "tensor_parallel_size": 2}},
            {"min_replicas": 2, "max_replicas": 8, "target_ongoing_requests": 128},
            {"max_model_len": 8192, "tensor_parallel_size": 2},
        ),
        (
            {"engine": {"enable_prompt_tokens_details": False}},
            {"min_replicas": 1, "target_ongoing_requests": 128},
            {"enable_prompt_tokens_details": False},
        ),
    ],
)
def test_the_application_for_language_models(settings, scaling, engine):
    assert started(**settings) == (
        "ray.serve.llm:build_openai_app",
        {
            "llm_configs": [
                {
                    "model_loading_config": {"model_id": "m", "model_source": "m"},
                    "deployment_config": {"autoscaling_config": scaling, "request_router_config": ROUTER},
                    "engine_kwargs": {"enable_prompt_tokens_details": True, **engine},
                }
            ]
        },
    )


def test_an_application_of_ones_own_gets_the_model():
    assert started(ray_app="package.module:build") == ("package.module:build", {"model": "m"})


@pytest.mark.parametrize(
    ("settings", "gpus", "scaling"),
    [
        ({}, 6, {"min_replicas": 1, "max_replicas": 6}),
        ({"engine": {"pipeline_parallel_size": 4}}, 6, {"min_replicas": 1, "max_replicas": 1}),
        ({"replicas": 2}, 6, {"min_replicas": 2, "max_replicas": 2}),
        ({"replicas": {"min": 2}, "engine": {"tensor_parallel_size": 2}}, 8, {"min_replicas": 2, "max_replicas": 4}),
        ({}, 0, "the Ray cluster has 0 GPUs, but 1 replicas of the teacher need 1 each"),
        (
            {"replicas": 2, "engine": {"tensor_parallel_size": 2}},
            3,
            "3 GPUs, but 2 replicas of the teacher need 2 each",
        ),
    ],
)
def test_the_replicas_that_the_gpus_of_the_cluster_have_room_for(settings, gpus, scaling):
    cluster = {"CPU": 8.0, **({"GPU": float(gpus)} if gpus else {})}
    app, arguments = started(**settings)
    if isinstance(scaling, str):
        with pytest.raises(ray_serve.Refused, match=scaling):
            ray_serve._over_the_gpus(app, arguments, cluster)
        return
    (model,) = ray_serve._over_the_gpus(app, arguments, cluster)["llm_configs"]
    found = model["deployment_config"]["autoscaling_config"]
    assert found == {**scaling, "target_ongoing_requests": 128}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"replicas": 2}, "replicas is for backend ray; set backend: ray, or remove replicas"),
        ({"backend": "vllm", "engine": {"max_model_len": 9}}, "engine is for backend ray"),
        ({"base_url": "http://h/v1", "ray_app": "a:b"}, "ray_app is for backend ray"),
        ({"backend": "ray", "serve_args": ["-tp", "2"]}, "backend is ray; give vLLM's arguments in engine"),
        ({"backend": "ray", "base_url": "http://h/v1"}, "base_url is for backend endpoint"),
        ({"backend": "ray", "replicas": 0}, "must be >= 1, got 0"),
        ({"backend": "ray", "replicas": {"min": 3, "max": 2}}, r"max \(2\) must not be below min \(3\)"),
        ({"backend": "ray", "ray_app": "module.build"}, "must be module:builder, e.g. my_package.my_module:build"),
        ({"backend": "ray", "ray_app": "a:b", "replicas": 2}, "an application of its own, which knows its replicas"),
        ({"backend": "ray", "engine": {"hf_token": "x"}}, "field 'hf_token' looks like a secret"),
    ],
)
def test_settings_that_do_not_fit(settings, said):
    with pytest.raises(ValidationError, match=said):
        TeacherConfig(model="m", **settings)


def test_the_python_of_ray_is_the_one_beside_the_first_ray_on_the_path(tmp_path, monkeypatch):
    (tmp_path / "own").mkdir()
    (tmp_path / "linked").mkdir()
    ray = tmp_path / "own" / "ray"
    ray.write_text("#!/bin/sh\n")
    ray.chmod(0o755)
    (tmp_path / "linked" / "ray").symlink_to(ray)
    monkeypatch.setenv("PATH", f"{tmp_path}/linked:{os.environ['PATH']}")
    assert python_of("ray") == f"{tmp_path}/own/python3"


@pytest.fixture
def without_ray_serve(tmp_path, monkeypatch):
    """An environment on the PATH whose Python finds `ray`, but not what Ray Serve needs."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "ray" / "serve").mkdir(parents=True)
    (tmp_path / "ray" / "__init__.py").write_text("")
    (tmp_path / "ray" / "serve" / "__init__.py").write_text("import starlette_of_ray")
    (tmp_path / "bin" / "ray").write_text("#!/bin/sh\n")
    (tmp_path / "bin" / "python3").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    for program in (tmp_path / "bin").iterdir():
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_environment_without_ray_serve_is_named(without_ray_serve):
    with pytest.raises(
        TeacherServerFailed, match=r"^Ray Serve cannot be imported by .* \(No module named 'starlette_of_ray"
    ):
        with managed_server(teacher(backend="ray"), without_ray_serve / "log"):
            pass


def test_a_machine_without_ray_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(backends, "python_of", lambda name: name)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TeacherServerFailed, match=r"cannot be started \(ray: .*pip install 'axolotl-augft.ray.'"):
        with managed_server(teacher(backend="ray"), tmp_path / "log"):
            pass


@pytest.mark.parametrize(
    ("app", "said"),
    [
        ("no_such_module:build", r"cannot be imported by .* \(No module named 'no_such_module'\); check augft.teacher"),
        ("json:no_such_builder", "has no attribute 'no_such_builder'"),
        (
            "json:loads",
            r"json:loads refuses its arguments \(the JSON object must be str, .*\)",
        ),
        (ray_serve.LLM_APP.replace("ray.", "no_ray."), "no_ray.serve.llm:build_openai_app cannot be imported"),
    ],
)
def test_an_application_that_cannot_be_built_is_one_line(app, said):
    with pytest.raises(ray_serve.Refused, match=said) as caught:
        ray_serve._built(app, {"model": "m"})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("reason", "line"),
    [
        ("1 replica is pending.", "1 replica is pending."),
        ("It failed. Error:\nTraceback:\n  x\nValueError: no model\n", "It failed. Error: ValueError: no model"),
    ],
)
def test_what_is_said_of_a_reason_of_ray_serve(reason, line):
    assert ray_serve._ends_of(reason) == line


REPLICA = """
import os, pathlib, signal, subprocess, sys, time
folder = pathlib.Path(sys.argv[1])
elsewhere = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(90)", sys.argv[1]], start_new_session=True)
def end(*_):
    # What runs beside it is needed to end what runs elsewhere.
    try:
        beside.wait(0.5)
    except subprocess.TimeoutExpired:
        (folder / "ended").touch()
    elsewhere.kill()
    sys.exit()
signal.signal(signal.SIGTERM, end)
beside = subprocess.Popen([sys.executable, sys.argv[2], str(folder / "asked"), sys.argv[3]])
print("augft: waiting: two replicas", flush=True)
if sys.argv[4:] != ["never"]:
    print("augft: ready", flush=True)
while True:
    time.sleep(0.1)
"""


def on_a_cluster(folder: Path, *more: str) -> Backend:
    """A server that has a process elsewhere, which only its first process can end, and one beside it that listens."""
    return Backend(
        lambda _, port: [sys.executable, "-c", REPLICA, str(folder), MOCK_SERVER, str(port), *more],
        ("/health",),
        lambda _: lambda request, body: body,
        "",
        ready_mark=ray_serve.READY_MARK,
        waiting_mark=ray_serve.WAITING_MARK,
        stop_alone_seconds=30,
    )


def left(folder: Path) -> list[int]:
    return [p.pid for p in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(p.info["cmdline"] or [])]


def test_what_runs_elsewhere_is_ended_first(tmp_path, monkeypatch):
    monkeypatch.setitem(BACKENDS, "transformers", on_a_cluster(tmp_path))
    with managed_server(teacher(), tmp_path / "log"):
        assert len(left(tmp_path)) == 3
    assert (tmp_path / "ended").exists() and left(tmp_path) == []


def test_a_server_that_does_not_say_that_it_is_ready_is_not_believed(tmp_path, monkeypatch):
    monkeypatch.setitem(BACKENDS, "transformers", on_a_cluster(tmp_path, "never"))
    with pytest.raises(TeacherServerFailed, match=r"not healthy after 3 s \(.*\), since two replicas; its log is"):
        with managed_server(teacher(start_timeout=3), tmp_path / "log"):
            pass
    assert left(tmp_path) == []


CHILD = """
import sys, time
from pathlib import Path
sys.path[:0] = [{root!r}]
from tests.teacher.serving import test_ray_backend as own
own.BACKENDS["transformers"] = own.on_a_cluster(Path({folder!r}))
with own.managed_server(own.teacher(), Path({folder!r}) / "log"):
    print("up", flush=True)
    time.sleep(60)
"""


def test_what_runs_elsewhere_is_ended_first_after_a_run_that_is_killed(tmp_path):
    code = CHILD.format(root=str(ROOT), folder=str(tmp_path))
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"up\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    deadline = time.monotonic() + 30
    while left(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (tmp_path / "ended").exists() and left(tmp_path) == []
