"""`axolotl augft bench` as a user runs it: whole suites through axolotl and lm_eval, on students from scratch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from axolotl_augft.bench.datasets.dataset import Question
from axolotl_augft.bench.experiments.questions import Tasks, write_tasks
from axolotl_augft.bench.experiments.scoring import Job, answers, score
from axolotl_augft.bench.report.results import load_result
from axolotl_augft.errors import BenchError
from tests.support.data import write_rows

pytestmark = pytest.mark.slow
BIN = Path(sys.executable).parent
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
# One thread: operations this small lose more by sharing than they gain.
ENVIRONMENT = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}


def command(*args: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(a) for a in args], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=ENVIRONMENT, timeout=560
    )


def test_augmented_fine_tuning_learns_reversals_that_plain_does_not(tmp_path):
    student, out = tmp_path / "student", tmp_path / "out"
    made = command(sys.executable, BENCHMARKS / "tiny_student.py", student)
    assert int(made.stdout.split(": ")[1].split()[0].replace(",", "")) < 1_000_000, made.stderr
    suite = ["bench", "run", BENCHMARKS / "suites/reversals-tiny.yml", "--model", student, "--out", out]
    done = command(BIN / "axolotl", "augft", *suite, "--conditions", "ft,aug-local")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    result = load_result(out / "results.json")
    accuracy = {cell.condition: cell.accuracy for cell in result.cells}
    assert accuracy["ft"] <= result.chance == 0.5
    assert accuracy["aug-local"] >= 0.9
    (plain,), (augmented,) = result.of("ft"), result.of("aug-local")
    assert plain.training.steps == augmented.training.steps == 250
    assert (plain.training.original_rows, plain.training.augmented_rows, plain.teacher) == (64, 0, None)
    assert augmented.training.augmented_rows == 64 and augmented.teacher.requests == 64
    # 250 steps of 16 rows of 8 to 16 tokens.
    assert 32_000 < plain.training.tokens < 64_000
    assert not list(out.glob("cells/*/model"))

    again = command(BIN / "axolotl", "augft", *suite, "--conditions", "ft,aug-local")
    assert again.stderr.count("(done before)") + again.stdout.count("(done before)") == 2


def test_your_own_data_and_a_training_that_crashes(cfg, tmp_path):
    """Plain fine-tuning crashes in axolotl; the augmented cell, with a learning rate that works, still finishes."""
    cfg["augft"]["augment"] = ["local"]
    rows = [
        {"prompt": "Port Ennis lies north of", "choices": ["Saltmere", "the mill house", "Mara"], "answer": "Saltmere"}
    ]
    questions, out = write_rows(tmp_path / "q.jsonl", rows), tmp_path / "out"
    own = [BIN / "axolotl", "augft", "bench", "own", tmp_path / "mine.yml", "--questions", questions, "--out", out]
    (tmp_path / "mine.yml").write_text(yaml.safe_dump(cfg))
    done = command(*own, "--conditions", "pretrained,aug-local", "--steps", "2", "--forgetting", "everyday,grammar")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    (before,), (cell,) = (load_result(out / "results.json").of(name) for name in ("pretrained", "aug-local"))
    assert before.general.keys() == cell.general.keys() == {"everyday", "grammar"}
    assert before.general["everyday"] < 0.6 and len(before.scores) == 1
    assert (cell.training.steps, cell.scores[0].answer, len(cell.scores[0].loglikelihoods)) == (2, 0, 3)
    assert (out / "cells/aug-local-seed42/model/model.safetensors").exists()

    (tmp_path / "mine.yml").write_text(yaml.safe_dump({**cfg, "optimizer": "no_such_optimizer"}))
    crashed = command(*own, "--conditions", "pretrained,ft", "--steps", "2")
    log = out / "cells/ft-seed42/train.log"
    assert crashed.returncode == 1 and "1 cells failed\nft seed 42: training failed (exit code 1): " in crashed.stderr
    assert f"(log: {log})" in crashed.stderr and log.is_file()
    statuses = {c["condition"]: c["status"] for c in json.loads((out / "results.json").read_text())["cells"]}
    assert statuses == {"pretrained": "done", "ft": "failed"}


def job(model: Path, tasks: Tasks, output: Path) -> Job:
    writing = str(tasks.writing) if tasks.writing else None
    return Job(str(model), None, str(tasks.choosing), writing, 3, "float32", str(output))


QUESTIONS = tuple(
    Question(f"q{i}", prompt, choices, 0, "all")
    for i, (prompt, choices) in enumerate(
        [
            ("Cats are", ("more curious than dogs", "blue")),
            ("The mill house was", ("built in 1901", "label", "a pump", "x")),
        ]
    )
)


def test_the_shared_prefix_changes_no_answer(tiny_model, tmp_path):
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    tasks = write_tasks("toy", QUESTIONS, tmp_path, 6, "All pumps carry a label, and no valve is blue. " * 4)
    found = answers(job(tiny_model, tasks, tmp_path / "out.json"))
    plain = HFLM(pretrained=str(tiny_model), device="cpu", dtype="float32", batch_size=1)
    manager = TaskManager(include_path=str(tmp_path), include_defaults=False)
    names = ["augft_toy", "augft_toy_writing"]
    samples = simple_evaluate(model=plain, tasks=names, task_manager=manager, bootstrap_iters=0)["samples"]
    expected = [[value for value, _ in sample["filtered_resps"]] for sample in samples["augft_toy"]]
    assert [len(values) for values in found.likelihoods] == [2, 4]
    for ours, theirs in zip(found.likelihoods, expected, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-4)
    assert found.texts == [sample["filtered_resps"][0] for sample in samples["augft_toy_writing"]]
    assert len(set(found.texts)) == 2 and all(found.texts)


def test_scores_come_back_from_their_process(tiny_model, tmp_path):
    tasks = write_tasks("toy", QUESTIONS, tmp_path)
    first, second = score(job(tiny_model, tasks, tmp_path / "out.json"), QUESTIONS, tmp_path)
    assert (first.question, first.choice_bytes, second.choice_bytes) == ("q0", (22, 4), (13, 5, 6, 1))
    assert all(value < 0 for value in (*first.loglikelihoods, *second.loglikelihoods))
    assert first.written is None


def test_written_answers_come_back_from_their_process_with_open_questions(tiny_model, tmp_path):
    questions = (Question("open", "All pumps carry", ("a label",), 0, "all"), *QUESTIONS)
    general = (Question("general", "Pumps are", ("old", "new"), 0, "everyday"),)
    tasks = write_tasks("toy", questions, tmp_path, 4, general=general)
    scores = score(job(tiny_model, tasks, tmp_path / "out.json"), questions, tmp_path, general)
    assert [(s.question, len(s.loglikelihoods)) for s in scores] == [("open", 0), ("q0", 2), ("q1", 4), ("general", 2)]
    assert all(s.written and "\n" not in s.written.text for s in scores[:3]) and scores[3].written is None


def test_a_broken_model_is_one_line(tiny_model, tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in tiny_model.iterdir():
        (broken / file.name).write_bytes(file.read_bytes())
    (broken / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(BenchError, match=f"scoring failed: the model {broken} cannot be loaded") as caught:
        score(job(broken, write_tasks("toy", QUESTIONS, tmp_path), tmp_path / "out.json"), QUESTIONS, tmp_path)
    assert "\n" not in str(caught.value)
