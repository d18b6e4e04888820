"""The manager of servers, with the project's own local server in the place of a model's."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from axolotl_augft.config.teacher import TeacherConfig
from axolotl_augft.errors import TeacherServerFailed
from axolotl_augft.teacher.serving import backends
from axolotl_augft.teacher.serving.backends import Backend
from axolotl_augft.teacher.serving.servers import managed_server
from axolotl_augft.teacher.teacher import resolve_teacher
from tests.support.teacher_server import TeacherServer

ROOT = Path(__file__).parents[3]
MOCK_SERVER = str(ROOT / "tests/support/teacher_server.py")


def teacher(**config):
    return resolve_teacher(TeacherConfig(model="m", id="m", api="chat", **config), "", 1, [])


def use(monkeypatch, command):
    backend = Backend(command, ("/health",), lambda _: lambda request, body: body, "pip install 'axolotl-augft[serve]'")
    monkeypatch.setitem(backends.BACKENDS, "transformers", backend)


def ours(marker):
    return [p.pid for p in psutil.process_iter(["cmdline"]) if marker in " ".join(p.info["cmdline"] or [])]


@pytest.fixture
def local_server(monkeypatch, tmp_path):
    log = tmp_path / "asked.jsonl"
    use(monkeypatch, lambda _, port: [sys.executable, MOCK_SERVER, str(log), str(port)])
    return str(log)


def test_a_server_is_started_awaited_and_stopped(local_server, tmp_path, monkeypatch):
    monkeypatch.setenv("RANK", "3")
    with managed_server(teacher(), tmp_path / "logs" / "teacher.log") as running:
        assert running.base_url.startswith("http://127.0.0.1:")
        (pid,) = ours(local_server)
        environment = psutil.Process(pid).environ()
        assert "RANK" not in environment and "PATH" in environment
        running.check()
    assert ours(local_server) == []


def test_no_process_stays_after_an_error(local_server, tmp_path):
    with pytest.raises(RuntimeError, match="mine"), managed_server(teacher(), tmp_path / "log"):
        raise RuntimeError("mine")
    assert ours(local_server) == []


def test_a_dying_server_is_reported_and_its_last_lines_go_to_the_terminal_only(monkeypatch, tmp_path, capsys):
    use(
        monkeypatch,
        lambda *_: [sys.executable, "-c", "import sys; print('one'); print('no such \\x1b[2Jweights'); sys.exit(7)"],
    )
    with (
        pytest.raises(TeacherServerFailed, match=r"ended with exit code 7") as caught,
        managed_server(teacher(), tmp_path / "log"),
    ):
        pass
    assert "weights" not in str(caught.value) and str(tmp_path / "log") in str(caught.value)
    assert "  | no such  [2Jweights\n" in capsys.readouterr().err


def test_a_server_that_never_gets_healthy_is_given_up(monkeypatch, tmp_path, capsys):
    use(
        monkeypatch,
        lambda *_: [sys.executable, "-c", f"import time; '{tmp_path}'; print('loading', flush=True); time.sleep(60)"],
    )
    with pytest.raises(TeacherServerFailed, match=r"not healthy after 1 s") as caught:
        with managed_server(teacher(start_timeout=1), tmp_path / "log"):
            pass
    assert "loading" not in str(caught.value) and "| loading" in capsys.readouterr().err
    assert ours(str(tmp_path)) == []


def test_a_missing_program_says_what_to_install(monkeypatch, tmp_path):
    use(monkeypatch, lambda *_: ["/nowhere/transformers"])
    with (
        pytest.raises(TeacherServerFailed, match="pip install 'axolotl-augft"),
        managed_server(teacher(), tmp_path / "log"),
    ):
        pass


NOT_HERE = """
import sys
from pathlib import Path
from axolotl_augft.config.teacher import TeacherConfig
from axolotl_augft.errors import TeacherServerFailed
from axolotl_augft.teacher.serving.servers import managed_server
from axolotl_augft.teacher.teacher import resolve_teacher

teacher = resolve_teacher(TeacherConfig(model="nobody/no-such-model"), "", 1, [])
try:
    with managed_server(teacher, Path(sys.argv[1])):
        pass
except TeacherServerFailed as error:
    print(error)
"""


@pytest.mark.parametrize("offline", ["0", "1"])
def test_a_model_that_is_not_here_while_the_hub_cannot_be_reached_is_one_line(tmp_path, offline):
    hub = {"HF_ENDPOINT": "http://user:pass@127.0.0.1:9", "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": offline}
    line = [sys.executable, "-c", NOT_HERE, str(tmp_path / "log")]
    done = subprocess.run(line, env={**os.environ, **hub}, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout == (
        "the teacher's model 'nobody/no-such-model' is neither a folder of a model nor in the local cache of the hub, "
        "and it could not be downloaded from 127.0.0.1:9; check augft.teacher.model (or base_model), the network, "
        "HF_ENDPOINT and HF_HUB_OFFLINE, or download it first\n"
    )
    assert "Traceback" not in done.stderr and not (tmp_path / "log").exists()


MOCK = [sys.executable, MOCK_SERVER]


def test_any_other_server_is_started_by_its_command(tmp_path):
    command = [*MOCK, str(tmp_path / "asked.jsonl"), "{port}", "--name={model}"]
    with managed_server(teacher(serve_command=command), tmp_path / "log") as running:
        (pid,) = ours(str(tmp_path / "asked.jsonl"))
        assert psutil.Process(pid).cmdline()[-2:] == [running.base_url.split(":")[2].removesuffix("/v1"), "--name=m"]
    assert ours(str(tmp_path / "asked.jsonl")) == []


ONLY_MODELS = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    asked = 0
    def do_GET(self):
        Handler.asked += self.path == "/v1/models"
        self.send_response(404 if self.path != "/v1/models" else 503 if Handler.asked < 3 else 200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def test_a_server_without_a_health_address_is_known_by_its_models(tmp_path):
    with managed_server(teacher(serve_command=[sys.executable, "-c", ONLY_MODELS, "{port}"]), tmp_path / "log"):
        pass
    assert (tmp_path / "log").read_text().count("GET /v1/models") == 3


def test_a_wrong_command_is_named(tmp_path):
    with pytest.raises(
        TeacherServerFailed, match="/nowhere/server: No such file or directory.; check augft.teacher.serve_command"
    ):
        with managed_server(teacher(serve_command=["/nowhere/server", "{port}"]), tmp_path / "log"):
            pass


@pytest.fixture
def vllm(tmp_path, monkeypatch):
    """A program `vllm` on the PATH that writes down its arguments and stands in for the server."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "vllm"
    program.write_text(
        f"#!{sys.executable}\nimport os, sys\nopen({str(tmp_path / 'arguments')!r}, "
        f"'w').write('\\n'.join(sys.argv[1:]))\n"
        f"open({str(tmp_path / 'environment')!r}, 'w').write('\\n'.join(os.environ))\n"
        "port = sys.argv[sys.argv.index('--port') + 1]\n"
        f"own = [{MOCK_SERVER!r}, {str(tmp_path / 'asked.jsonl')!r}, port]\n"
        f"os.execv({sys.executable!r}, [{sys.executable!r}, *own])\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return tmp_path


def test_vllm_is_started_with_prefix_caching_over_all_gpus(vllm, monkeypatch):
    monkeypatch.setattr(backends, "_visible_gpus", lambda: 4)
    monkeypatch.setenv("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")
    with managed_server(teacher(backend="vllm", serve_args=["--max-model-len", "32768"]), vllm / "log") as running:
        port = running.base_url.split(":")[2].removesuffix("/v1")
    assert (vllm / "arguments").read_text().splitlines() == [
        "serve", "m", "--host", "127.0.0.1", "--port", port, "--tensor-parallel-size", "4", "--enable-prefix-caching",
        "--enable-prompt-tokens-details", "--disable-uvicorn-access-log", "--max-model-len", "32768",
    ]  # fmt: skip
    assert "PYTORCH_CUDA_ALLOC_CONF" not in (vllm / "environment").read_text()


@pytest.mark.parametrize(
    ("own", "flag"),
    [(["-tp", "2"], "--tensor-parallel-size"), (["--tensor_parallel_size=2"], "--tensor-parallel-size"),
     (["--no-enable-prefix-caching"], "--enable-prefix-caching")],
)  # fmt: skip
def test_arguments_of_the_recipe_take_the_place_of_ours(vllm, own, flag):
    with managed_server(teacher(backend="vllm", serve_args=own), vllm / "log"):
        pass
    arguments = (vllm / "arguments").read_text().splitlines()
    assert flag not in arguments and arguments[-len(own) :] == own


def test_without_a_gpu_vllm_gets_one_worker(vllm):
    with managed_server(teacher(backend="vllm"), vllm / "log"):
        pass
    arguments = (vllm / "arguments").read_text().splitlines()
    assert arguments[arguments.index("--tensor-parallel-size") + 1] == "1"


def test_missing_vllm_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TeacherServerFailed, match="pip install 'axolotl-augft.vllm.'"):
        with managed_server(teacher(backend="vllm"), tmp_path / "log"):
            pass


def test_a_server_that_dies_later_is_noticed(local_server, tmp_path):
    with managed_server(teacher(), tmp_path / "log") as running:
        os.kill(ours(local_server)[0], signal.SIGKILL)
        deadline = time.monotonic() + 10
        with pytest.raises(TeacherServerFailed, match="ended with exit code -9"):
            while time.monotonic() < deadline:
                running.check()


CHILD = """
import sys, time
sys.path[:0] = [{here!r}]
from tests.teacher.serving.test_servers import teacher
from axolotl_augft.teacher.serving.backends import BACKENDS, Backend
from axolotl_augft.teacher.serving.servers import managed_server
from pathlib import Path
engine = "import os, subprocess, sys; "
engine += "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(90)', sys.argv[2]]); "
engine += "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
command = lambda _, port: [sys.executable, "-c", engine, {server!r}, {log!r}, str(port)]
BACKENDS["transformers"] = Backend(command, ("/health",), lambda _: None, "")
with managed_server(teacher(), Path({log!r} + ".log")):
    print("up", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_server_outlives_its_process(tmp_path, sign):
    log = str(tmp_path / "asked.jsonl")
    code = CHILD.format(here=str(ROOT), server=MOCK_SERVER, log=log)
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a test run in the background has it ignored
    )
    assert child.stdout.readline() == b"up\n"
    servers = [pid for pid in ours(log) if pid != child.pid]
    assert len(servers) == 2, "the server, and a process that it has started"
    child.send_signal(sign)
    assert child.wait(30) != 0
    deadline = time.monotonic() + 20
    while any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in servers):
        assert time.monotonic() < deadline
        time.sleep(0.05)


FOREIGN = """
import subprocess, sys, time
time.sleep(60)
"""


@pytest.mark.parametrize("backend", ["transformers", "command"])
def test_a_port_that_another_process_took_is_found_out(monkeypatch, tmp_path, backend):
    other = TeacherServer()

    def take(port):
        other.port = port
        other.__enter__()
        return [sys.executable, "-c", FOREIGN, str(tmp_path), str(port)]

    if backend == "transformers":
        use(monkeypatch, lambda _, port: take(port))
        settings = {}
    else:
        monkeypatch.setattr(backends, "_own_command", lambda _, port: take(port))
        monkeypatch.setitem(
            backends.BACKENDS, "command", Backend(lambda _, port: take(port), ("/health",), backends._unshaped, "")
        )
        settings = {"serve_command": ["x", "{port}"]}
    try:
        with pytest.raises(TeacherServerFailed, match="neither the teacher's server nor a process that it started"):
            with managed_server(teacher(**settings), tmp_path / "log"):
                pytest.fail("a foreign server was believed")
    finally:
        other.__exit__()
    assert ours(str(tmp_path)) == [] and other.bodies == []


def test_a_server_has_a_random_key_and_not_the_teachers(local_server, tmp_path, monkeypatch):
    monkeypatch.setenv("TEACHER_KEY", "sk-very-secret")
    keys = []
    for _ in range(2):
        with managed_server(teacher(api_key_env="TEACHER_KEY"), tmp_path / "log") as running:
            (pid,) = ours(local_server)
            process = psutil.Process(pid)
            environment = process.environ()
            assert environment["VLLM_API_KEY"] == environment["LLAMA_API_KEY"] == running.api_key
            assert "TEACHER_KEY" not in environment and running.api_key not in " ".join(process.cmdline())
            keys.append(running.api_key)
    assert len(set(keys)) == 2 and min(map(len, keys)) >= 32
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("accelerators", "serve_args", "small"),
    [
        ((), [], True),
        ((), ["--cb-max-batch-tokens", "512"], True),
        ((), ["--cb-num-blocks", "512"], False),
        ((), ["--cb-max-memory-percent=0.5"], False),
        (("/dev/null",), [], False),
    ],
)
def test_on_a_cpu_the_servers_cache_takes_a_quarter_of_the_memory(monkeypatch, accelerators, serve_args, small):
    monkeypatch.setattr(backends, "_ACCELERATORS", accelerators)
    one = teacher()
    one = dataclasses.replace(one, config=one.config.model_copy(update={"serve_args": serve_args}))
    command = backends.BACKENDS["transformers"].command(one, 8000)
    assert (command[4:6] == ["--cb-max-memory-percent", "0.25"]) is small
    assert command[-len(serve_args) or len(command) :] == serve_args and "8000" in command


@pytest.mark.parametrize(
    ("installed", "settings", "backend"),
    [
        (True, {}, "vllm"),
        (False, {}, "transformers"),
        (True, {"base_url": "http://localhost:8000/v1"}, "endpoint"),
        (True, {"backend": "transformers"}, "transformers"),
        (True, {"serve_args": ["--cb-num-blocks", "512"]}, "transformers"),
        (True, {"serve_command": ["x", "{port}"]}, "command"),
        (False, {"backend": "vllm"}, "vllm"),
    ],
)
def test_the_server_that_is_started_by_itself(request, monkeypatch, installed, settings, backend):
    if installed:
        request.getfixturevalue("vllm")
    else:
        monkeypatch.setenv("PATH", "")
    assert teacher(**settings).backend == backend


@pytest.mark.parametrize(
    ("accelerators", "sent"),
    [((), {"max_tokens": 4}), (("/dev/null",), {"max_tokens": 4, "seed": 3})],
)
def test_vllm_gets_no_seed_on_a_cpu_where_one_ends_its_engine(monkeypatch, accelerators, sent):
    monkeypatch.setattr(backends, "_ACCELERATORS", accelerators)
    shape = backends.BACKENDS["vllm"].shape(teacher(backend="vllm"))
    assert shape(None, {"max_tokens": 4, "seed": 3}) == sent
