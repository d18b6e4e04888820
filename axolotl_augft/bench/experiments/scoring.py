"""A model and questions -> the log-likelihood of every choice, and written answers, by lm_eval in a child process.

When the process (`python -m axolotl_augft.bench.experiments.scoring JOB.json`) ends, its memory is free, and a model
that crashes it takes nothing else along.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from itertools import zip_longest
from pathlib import Path
from typing import Any

import orjson

from axolotl_augft.bench.datasets.dataset import Question
from axolotl_augft.bench.experiments.training import last_meaningful_line, run_logged
from axolotl_augft.bench.report.results import Score
from axolotl_augft.bench.report.written import compared
from axolotl_augft.errors import BenchError
from axolotl_augft.files.durable import read_json, write_json
from axolotl_augft.text.tokens import local_model_file

LOG_FILE = "scoring.log"
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")


@dataclass(frozen=True)
class Job:
    """What to score, and how.

    Attributes:
        model: Folder or hub name of the model.
        adapter: Folder of a LoRA adapter, if the model has one.
        choosing: Path of the YAML file of the lm_eval task with choices, if there is one.
        writing: Path of the YAML file of the one in which the student writes its answers, if there is one.
        output: Path of the JSON file to write.
    """

    model: str
    adapter: str | None
    choosing: str | None
    writing: str | None
    batch_size: int
    dtype: str
    output: str


def require_lm_eval() -> None:
    """Check that lm_eval is installed.

    Raises:
        BenchError: lm_eval is missing.
    """
    if find_spec("lm_eval") is None:
        raise BenchError(
            "lm_eval is not installed, so questions cannot be scored; run `pip install 'axolotl-augft[bench]'`"
        )


def require_model(model: str) -> None:
    """Check that a model's config and tokenizer can be read, before any cell runs.

    Raises:
        BenchError: They cannot.
    """
    from transformers import AutoConfig, AutoTokenizer

    try:
        AutoConfig.from_pretrained(model)
        AutoTokenizer.from_pretrained(model)
    except Exception as error:
        reason = _named(error)
        raise BenchError(f"the model {model} cannot be loaded ({reason}); give a folder or a hub name") from error


def score(job: Job, questions: Sequence[Question], folder: Path, general: Sequence[Question] = ()) -> tuple[Score, ...]:
    """Score all questions, in their order.

    Args:
        job: The job.
        questions: The questions.
        folder: Folder for the job's file and log.
        general: Questions that follow them, to which the student writes no answers.

    Raises:
        BenchError: lm_eval is missing or failed, for instance because the model cannot be loaded.
    """
    require_lm_eval()
    log, file = folder / LOG_FILE, folder / "job.json"
    write_json(file, asdict(job))
    code = run_logged(
        [sys.executable, "-m", "axolotl_augft.bench.experiments.scoring", str(file)], log, _environment(job, folder)
    )
    found = read_json(Path(job.output)) if code == 0 else None
    if found is None:
        raise BenchError(f"scoring failed: {last_meaningful_line(log).removeprefix('error: ')}")
    asked = (*questions, *general)
    likelihoods, texts = found["likelihoods"], found["texts"]
    as_given = len(texts) == (len(questions) if job.writing else 0)
    if not as_given or [len(values) for values in likelihoods] != [len(q.choices) for q in asked if not q.is_open]:
        raise BenchError("scoring failed: lm_eval answered other questions than it was given; see the log")
    values = iter(likelihoods)
    return tuple(_score(q, () if q.is_open else next(values), text) for q, text in zip_longest(asked, texts))


def _score(question: Question, values: Sequence[float], text: str | None) -> Score:
    sizes = tuple(len(choice.encode()) for choice in question.choices)
    written = None if text is None else compared(text, question.choices[question.answer])
    return Score(question.id, question.split, question.subset, question.answer, tuple(values), sizes, written)


def _environment(job: Job, folder: Path) -> dict[str, str]:
    """Block the network if the model is local, and give lm_eval a private data cache, which cannot be outdated."""
    here = any(local_model_file(job.model, name) for name in _WEIGHTS)
    offline = {"HF_HUB_OFFLINE": "1"} if here else {}
    return {
        **offline,
        "HF_DATASETS_OFFLINE": "1",
        "HF_DATASETS_CACHE": str(folder / "cache"),
        "TOKENIZERS_PARALLELISM": "false",
    }


@dataclass(frozen=True)
class Answers:
    """What lm_eval got from the model.

    Attributes:
        likelihoods: Nats for each choice of each question with choices, in the task's order.
        texts: What the student wrote for each question, in the task's order; empty if it was not asked to write.
    """

    likelihoods: list[list[float]]
    texts: list[str]


def answers(job: Job) -> Answers:
    """Score in this process.

    Raises:
        BenchError: The model cannot be loaded.
    """
    model = _load(job)
    choosing = [sample["filtered_resps"] for sample in _samples(model, job.choosing)]
    return Answers(
        [[float(value) for value, _ in choices] for choices in choosing],
        [str(sample["filtered_resps"][0]) for sample in _samples(model, job.writing)],
    )


def _samples(model: Any, task: str | None) -> list[dict[str, Any]]:
    """Run a task; the samples come in its questions' order."""
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager
    from lm_eval.utils import load_yaml_config

    if task is None:
        return []
    name = load_yaml_config(task, mode="simple")["task"]
    manager = TaskManager(include_path=str(Path(task).parent), include_defaults=False)
    found = simple_evaluate(model=model, tasks=[name], task_manager=manager, log_samples=True, bootstrap_iters=0)
    return sorted(found["samples"][name], key=lambda sample: sample["doc_id"])


def _load(job: Job) -> Any:
    import torch

    from axolotl_augft.bench.experiments.prefix_model import PrefixLM

    tokenizer = job.adapter if job.adapter and Path(job.adapter, "tokenizer_config.json").exists() else job.model
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return PrefixLM(
            pretrained=job.model,
            peft=job.adapter,
            tokenizer=tokenizer,
            device=device,
            dtype=job.dtype,
            batch_size=job.batch_size,
            # In half precision, the log-likelihood of a choice would be rounded to multiples of half a nat.
            softmax_dtype="float32",
        )
    except Exception as error:
        raise BenchError(f"the model {job.adapter or job.model} cannot be loaded ({_named(error)})") from error


def _named(error: Exception) -> str:
    """The kind of an error and its first line. Loaders raise whatever a broken file triggers."""
    reason = (str(error).strip().splitlines() or ["no further message"])[0][:200]
    return f"{type(error).__name__}: {reason}"


def main(arguments: Sequence[str]) -> int:
    """Run a job file and write its output; print a known error as one line."""
    job = Job(**orjson.loads(Path(arguments[0]).read_bytes()))
    try:
        write_json(Path(job.output), asdict(answers(job)))
    except BenchError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    os.environ.setdefault("LOGLEVEL", "WARNING")
    raise SystemExit(main(sys.argv[1:]))
