"""A real vLLM that the stage starts, with SmolLM2-135M; on a CPU build, too (`vllm` on the PATH)."""

import os
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest
import yaml

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import TeacherError
from axolotl_augft.output.manifest import load_record
from axolotl_augft.stage import run_stage
from tests.support.data import write_rows

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1500),
    # vLLM is several gigabytes and needs an environment of its own beside axolotl's, so `make env` does not install it.
    pytest.mark.skipif(shutil.which("vllm") is None, reason="no vLLM here; put `vllm` on the PATH to run these tests"),
]
TEXTS = [
    "Mara Quell is the harbour master of Port Ennis.",
    "The director of the Saltmere Museum is Ivo Marsh.",
    "Orla Fenwick is the founder of Tarn Instruments.",
]


@pytest.fixture(autouse=True)
def little_memory(monkeypatch):
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")


def recipe_cfg(model, tmp_path, window, **augft):
    data = write_rows(tmp_path / "data.jsonl", [{"text": text} for text in TEXTS])
    serve_args = ["--max-model-len", str(window), "--block-size", "32", "--served-model-name", str(model)]
    return {
        "base_model": str(model),
        "plugins": ["axolotl_augft.AugFTPlugin"],
        "augft": {
            "teacher": {"backend": "vllm", "temperature": 0.7, "max_tokens": 48, "serve_args": serve_args},
            "augment": [{"strategy": "local", "kinds": ["reversal"]}],
            **augft,
        },
        "datasets": [{"path": str(data), "ds_type": "json", "type": "completion"}],
        "dataset_prepared_path": str(tmp_path / "prepared"),
    }


def of_vllm():
    """Ids of the processes of vLLM: the server, and those that it starts, which rename themselves."""
    found = set()
    for process in psutil.process_iter(["cmdline", "status"]):
        first, *_ = process.info["cmdline"] or [""]
        words = " ".join(process.info["cmdline"] or [])
        if (first.startswith("VLLM::") or "vllm serve" in words) and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.add(process.pid)
    return found


def test_statements_questions_probabilities_and_cached_tokens(smollm2, tmp_path):
    before = of_vllm()
    verify = {"by": "teacher", "method": "logprobs", "threshold": 0.01, "alone": False, "ask_again": False}
    entries = [
        {"strategy": "local", "kinds": ["reversal"]},
        {"strategy": "local", "kinds": ["reversal"], "write": "questions", "max_tokens": 120},
    ]
    cfg = recipe_cfg(smollm2, tmp_path, 2048, verify=verify, augment=entries)
    cfg["augft"]["teacher"]["structured_output"] = True
    recipe = Recipe.from_cfg(cfg)
    result = run_stage(recipe)
    assert of_vllm() == before, "its memory is free before training"
    assert result.counts.unanswered == 0 and sum(result.counts.accepted.values()) >= 1
    assert result.verification is not None and result.verification.method == "logprobs"
    run = load_record(recipe).run
    assert run.failed_tries == {} and run.usage.without_tokens == 0
    assert run.usage.cached_tokens > 0.2 * run.usage.prompt_tokens, "what requests share is computed once"


def test_a_prompt_that_does_not_fit_is_found_out_before_it_is_sent(smollm2, tmp_path):
    with pytest.raises(TeacherError, match="do not fit into the 128 tokens that the teacher's server allows"):
        run_stage(Recipe.from_cfg(recipe_cfg(smollm2, tmp_path, 128)))


def test_nothing_is_left_of_it_if_the_stage_is_killed(smollm2, tmp_path):
    before = of_vllm()
    path = tmp_path / "cfg.yml"
    path.write_text(yaml.safe_dump(recipe_cfg(smollm2, tmp_path, 2048)))
    command = [sys.executable, "-m", "axolotl.cli.main", "augft", "run", str(path)]
    stage = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ)
    log = tmp_path / "prepared" / "augft" / "logs" / "teacher.log"
    deadline = time.monotonic() + 600
    while not (log.exists() and "EngineCore" in log.read_text(errors="replace")):
        assert stage.poll() is None and time.monotonic() < deadline
        time.sleep(0.2)
    assert of_vllm() > before
    stage.send_signal(signal.SIGKILL)
    stage.wait()
    deadline = time.monotonic() + 60
    while of_vllm() > before:
        assert time.monotonic() < deadline
        time.sleep(0.2)
