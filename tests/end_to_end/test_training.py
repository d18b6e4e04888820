"""Axolotl's own command line in processes of its own: the stage, then training on its result."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from datasets import load_from_disk

from tests.support.data import LOCAL_BY_DOCUMENT, write_rows
from tests.support.document_files import add_bad_files, write_handbook
from tests.support.exchange_data import CASES, as_json
from tests.support.teacher_server import TeacherServer, prompt_of

pytestmark = pytest.mark.slow
BIN = Path(sys.executable).parent
SECRET = "sk-planted-0123456789"


def command(*args, check=True, cwd=None, **environment):
    env = {**os.environ, "AUGFT_TEST_KEY": SECRET, "CUDA_VISIBLE_DEVICES": "", **environment}
    line = [str(BIN / args[0]), *map(str, args[1:])]
    done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env, cwd=cwd, timeout=500)
    if check:
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done


def write_config(cfg: dict, path: Path) -> Path:
    path.write_text(yaml.safe_dump(cfg))
    return path


def prepared_rows(cfg) -> list[int]:
    folders = [f for f in Path(cfg["dataset_prepared_path"]).iterdir() if (f / "state.json").exists()]
    return sorted(len(load_from_disk(str(f))) for f in folders)


def results(cfg) -> dict[str, bytes]:
    (folder,) = [m.parent for m in (Path(cfg["dataset_prepared_path"]) / "augft").glob("*/manifest.json")]
    return {f.name: f.read_bytes() for f in folder.iterdir()}


@pytest.fixture
def full_cfg(cfg, teacher, tmp_path):
    teacher.key = SECRET
    cfg["augft"]["teacher"]["api_key_env"] = "AUGFT_TEST_KEY"
    cfg["augft"]["augment"] = [LOCAL_BY_DOCUMENT, "global"]
    cfg["val_set_size"] = 1
    return cfg


def test_preprocess_train_evaluate(full_cfg, teacher, tmp_path):
    path = write_config(full_cfg, tmp_path / "cfg.yml")
    first = command("axolotl", "preprocess", path)
    asked = len(teacher.bodies)
    assert asked == 10
    (manifest,) = (Path(full_cfg["dataset_prepared_path"]) / "augft").glob("*/manifest.json")
    entry = json.loads(manifest.read_text())["entries"][0]
    trained_rows = entry["original_file"]["rows"] + entry["augmented"]["rows"]
    assert prepared_rows(full_cfg) == [1, trained_rows]

    trained = command("axolotl", "train", path, "--launcher", "python")
    assert len(teacher.bodies) == asked
    assert prepared_rows(full_cfg) == [1, trained_rows]
    assert (Path(full_cfg["output_dir"]) / "model.safetensors").exists()

    evaluated = command("axolotl", "evaluate", path, "--launcher", "python")
    assert "Eval Metrics" in evaluated.stdout + evaluated.stderr
    assert prepared_rows(full_cfg)[0] == 1
    assert len(teacher.bodies) == asked

    for output in (first, trained, evaluated):
        assert SECRET not in output.stdout + output.stderr
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes(), file


def test_accelerate_launch_with_dotenv_and_lora(full_cfg, teacher, tmp_path):
    full_cfg |= {"adapter": "lora", "lora_r": 4, "lora_alpha": 8, "lora_target_linear": True}
    full_cfg |= dict.fromkeys(["lora_mlp_kernel", "lora_qkv_kernel", "lora_o_kernel"], False)
    path = write_config(full_cfg, tmp_path / "cfg.yml")
    (tmp_path / ".env").write_text(f"AUGFT_FROM_FILE={SECRET}\n")
    full_cfg["augft"]["teacher"]["api_key_env"] = "AUGFT_FROM_FILE"
    write_config(full_cfg, path)
    command("accelerate", "launch", "-m", "axolotl.cli.train", path, cwd=tmp_path)
    assert len(teacher.bodies) == 10
    assert (Path(full_cfg["output_dir"]) / "adapter_model.safetensors").exists()
    (tmp_path / ".env").unlink()
    merged = command("axolotl", "merge-lora", path, cwd=tmp_path, AUGFT_TEST_KEY="")
    assert merged.returncode == 0
    command("axolotl", "inference", path, "--launcher", "python", cwd=tmp_path, AUGFT_TEST_KEY="")
    assert len(teacher.bodies) == 10


def test_an_error_is_one_line(full_cfg, tmp_path):
    full_cfg["augft"]["teacher"]["api_key_env"] = "AUGFT_UNSET_KEY"
    done = command(
        "axolotl", "train", write_config(full_cfg, tmp_path / "cfg.yml"), "--launcher", "python", check=False
    )
    assert done.returncode == 1
    assert "augft: error: augft.teacher.api_key_env: the environment variable AUGFT_UNSET_KEY is not set" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_of_documents_from_preprocess_to_evaluate(full_cfg, teacher, tmp_path):
    handbook = write_handbook(tmp_path / "handbook")
    bad = add_bad_files(handbook)
    del full_cfg["datasets"]
    full_cfg["augft"] |= {"documents": str(handbook), "augment": [LOCAL_BY_DOCUMENT]}
    path = write_config(full_cfg, tmp_path / "cfg.yml")
    first = command("axolotl", "preprocess", path)
    asked = len(teacher.bodies)
    assert asked == 8, "nine rows, one of them held out"
    assert all(name in first.stderr + first.stdout for name in bad)
    prepared = prepared_rows(full_cfg)
    command("axolotl", "train", path, "--launcher", "python")
    evaluated = command("axolotl", "evaluate", path, "--launcher", "python")
    assert "Eval Metrics" in evaluated.stdout + evaluated.stderr
    assert len(teacher.bodies) == asked and prepared_rows(full_cfg)[0] == prepared[0] == 1


TWO_RANKS = """
import json, os, sys
from pathlib import Path
import torch
if not torch.cuda.is_available():
    # With torch's CUDA build and no driver, axolotl's question whether two GPUs reach each other is an error.
    torch.cuda.can_device_access_peer = lambda *_: False
from axolotl.cli.config import load_cfg
from axolotl.integrations.base import PluginManager
cfg = load_cfg(sys.argv[1])
PluginManager.get_instance().load_datasets(cfg, preprocess=False)
Path(sys.argv[2], os.environ["RANK"]).write_text(json.dumps([e.path for e in cfg.datasets]))
"""


def two_ranks(cfg, tmp_path, **environment):
    script = tmp_path / "hook.py"
    script.write_text(TWO_RANKS)
    path = write_config(cfg, tmp_path / "cfg.yml")
    return command(
        "torchrun",
        "--nproc_per_node",
        2,
        "--master_port",
        29511,
        script,
        path,
        tmp_path,
        check=False,
        ACCELERATE_USE_CPU="true",
        **environment,
    )


def test_two_ranks_one_asks_both_get_the_same(full_cfg, teacher, tmp_path):
    teacher.delay = 0.2
    done = two_ranks(full_cfg, tmp_path)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert len(teacher.bodies) == 10
    assert (tmp_path / "0").read_text() == (tmp_path / "1").read_text()


def test_two_ranks_and_a_folder_of_documents(full_cfg, teacher, tmp_path):
    del full_cfg["datasets"]
    full_cfg["augft"] |= {"documents": str(write_handbook(tmp_path / "handbook")), "augment": ["local"]}
    done = two_ranks(full_cfg, tmp_path)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert (done.stdout + done.stderr).count("converting 5 files") == 1
    assert (tmp_path / "0").read_text() == (tmp_path / "1").read_text()


def test_two_ranks_fail_together(full_cfg, teacher, tmp_path):
    start = time.monotonic()
    done = two_ranks(full_cfg, tmp_path, AUGFT_TEST_KEY="wrong")
    assert done.returncode != 0 and time.monotonic() - start < 120
    assert "refuses access (HTTP 401" in done.stdout + done.stderr
    assert len(teacher.bodies) == 1


@pytest.mark.parametrize("after", [7, 53])
def test_killed_half_way_and_resumed_gives_the_same_bytes(cfg, tmp_path, after):
    """Disturbed and undisturbed runs differ in nothing; at most what was in flight is asked again."""
    data = write_rows(
        tmp_path / "many.jsonl", [{"text": f"Ship number {i} lies in harbour {i % 7}."} for i in range(40)]
    )
    concurrency = 4
    outcomes = []
    for disturbed in (False, True):
        with TeacherServer(delay=0.05) as server:
            cfg["datasets"][0]["path"] = str(data)
            cfg["dataset_prepared_path"] = str(tmp_path / f"prepared-{disturbed}")
            cfg["augft"] = {
                "augment": ["local", {"strategy": "global", "context_tokens": 150}],
                "teacher": {"base_url": server.base_url, "model": "m", "api": "chat", "max_concurrency": concurrency},
            }
            path = write_config(cfg, tmp_path / "cfg.yml")
            if disturbed:
                child = subprocess.Popen(
                    [str(BIN / "axolotl"), "augft", "run", str(path)],
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
                while len(server.bodies) < after:
                    time.sleep(0.01)
                    assert child.poll() is None
                child.send_signal(signal.SIGKILL)
                child.wait()
            command("axolotl", "augft", "run", path)
            outcomes.append((results(cfg), len(server.bodies), len({prompt_of(b) for b in server.bodies})))
    (bytes_a, asked_a, distinct_a), (bytes_b, asked_b, distinct_b) = outcomes
    assert bytes_a == bytes_b
    assert distinct_a == distinct_b == asked_a == 80
    assert asked_b - asked_a <= concurrency


def test_every_format_through_preprocess(cfg, teacher, tmp_path):
    ports = [f"Port {chr(65 + i % 26)}{'ae'[i // 26]}nnis" for i in range(len(CASES))]
    teacher.answer = lambda body: as_json(body).replace(
        "Port Ennis", re.findall(r"Port \w+(?=\?)", prompt_of(body))[-1]
    )
    cfg["datasets"] = []
    for port, case in zip(ports, CASES, strict=True):
        row = json.loads(json.dumps(case.row).replace("Port Ennis", port))
        path = write_rows(tmp_path / f"{port}.jsonl", [row])
        cfg["datasets"].append({"path": str(path), "ds_type": "json", **case.entry})
    cfg["augft"]["augment"] = ["local"]
    cfg |= {"chat_template": "chatml", "sequence_len": 512}
    command("axolotl", "preprocess", write_config(cfg, tmp_path / "cfg.yml"))
    (manifest,) = (Path(cfg["dataset_prepared_path"]) / "augft").glob("*/manifest.json")
    assert [e["augmented"]["rows"] for e in json.loads(manifest.read_text())["entries"]] == [2] * len(CASES)
    assert prepared_rows(cfg) == [3 * len(CASES)]
