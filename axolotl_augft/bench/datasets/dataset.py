"""A data set with questions <-> its folder, which holds seven files.

* `documents.jsonl`: the training documents, in axolotl's `completion` format (column `text`).
* `questions.jsonl`: what the lm_eval task reads.
* `task.yaml`: the lm_eval task, and `task.py`, which reads the questions for it from wherever the folder lies.
* `facts.jsonl`: the ground truth, with one line for each trained fact and the documents that state it, one for each
  rule, and one for each `background` fact, which holds but is stated by no document (such as the syntax of an
  expression).
* `card.md`: a description for readers.
* `dataset.json`: name, scale, seed and settings.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import orjson
import yaml

from axolotl_augft.bench.datasets.facts import Fact, Rule
from axolotl_augft.errors import BenchError
from axolotl_augft.files.durable import write_error, write_json

Scale = Literal["tiny", "small", "paper"]
SCALES: tuple[Scale, ...] = ("tiny", "small", "paper")
DOCUMENTS, QUESTIONS, TASK, READER, FACTS, CARD, DATASET = (
    "documents.jsonl",
    "questions.jsonl",
    "task.yaml",
    "task.py",
    "facts.jsonl",
    "card.md",
    "dataset.json",
)
_READER = f'''"""questions.jsonl, which lies beside this file -> the data of the lm_eval task."""

import json
from pathlib import Path

from datasets import Dataset


def questions(**_):
    """Return the questions as the only split."""
    lines = Path(__file__).with_name("{QUESTIONS}").read_text(encoding="utf-8").splitlines()
    return {{"test": Dataset.from_list([json.loads(line) for line in lines if line.strip()])}}
'''


@dataclass(frozen=True, slots=True)
class Question:
    """A multiple-choice question, whose choices are continuations of the prompt and are not shown in it.

    Attributes:
        answer: Index of the right choice.
        split: Part of the test that it belongs to, such as "reversals" or "holdouts".
        fact: What the prompt with the right choice states; None without a formal ground truth.
        subset: Task subset for error bars, such as the relation or entity asked about.
        distractors: What the wrong choices would state, in order.
    """

    id: str
    prompt: str
    choices: tuple[str, ...]
    answer: int
    split: str
    fact: Fact | None = None
    subset: str = ""
    distractors: tuple[Fact, ...] = ()

    @property
    def statement(self) -> str:
        """The prompt, completed by the right choice."""
        return f"{self.prompt} {self.choices[self.answer]}"


@dataclass(frozen=True, slots=True)
class Stated:
    """A trained fact, and the indices of the documents that state it."""

    fact: Fact
    documents: tuple[int, ...]


@dataclass(frozen=True)
class BenchData:
    """A data set with questions and their ground truth.

    Attributes:
        stated: Trained facts with the documents that state them.
        about: Description for the card.
        background: Facts that hold but are stated by no document.
        strict_words: Whether bag-of-words scorers must not beat guessing; data from elsewhere cannot promise that.
        made_words: Whether its names are made up, so that none of them may be a real word.
        settings: Further values that it was made with.
    """

    name: str
    scale: str
    seed: int
    documents: tuple[str, ...]
    questions: tuple[Question, ...]
    stated: tuple[Stated, ...]
    rules: tuple[Rule, ...]
    about: str
    background: tuple[Fact, ...] = ()
    strict_words: bool = True
    made_words: bool = True
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Trained facts, then background facts."""
        return (*(s.fact for s in self.stated), *self.background)

    @property
    def chance(self) -> float:
        """Accuracy of random guessing."""
        return sum(1 / len(q.choices) for q in self.questions) / len(self.questions)


def save(data: BenchData, folder: Path) -> None:
    """Write the folder of a data set.

    Raises:
        OutputError: The folder cannot be written.
    """
    try:
        _save(data, folder)
    except OSError as error:
        raise write_error(folder, error) from error


def _save(data: BenchData, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _write_lines(folder / DOCUMENTS, ({"text": text} for text in data.documents))
    _write_lines(folder / QUESTIONS, (_question_row(q) for q in data.questions))
    _write_lines(folder / FACTS, _fact_rows(data))
    for name, text in task_files(data.name).items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / CARD).write_text(card(data), encoding="utf-8")
    write_json(folder / DATASET, _about(data))


def load(folder: Path) -> BenchData:
    """Read a folder that `save` wrote.

    Raises:
        BenchError: A file is missing or malformed.
    """
    try:
        return _load(folder)
    except OSError as error:
        raise BenchError(
            f"{error.filename}: cannot be read; make the data set with `axolotl augft bench make NAME --out {folder}`"
        ) from None
    except (orjson.JSONDecodeError, KeyError, TypeError, IndexError) as error:
        raise BenchError(
            f"{folder}: not a data set of `axolotl augft bench make` ({type(error).__name__}: {error}); make it again"
        ) from None


def _load(folder: Path) -> BenchData:
    about = orjson.loads((folder / DATASET).read_bytes())
    documents = tuple(row["text"] for row in _read_lines(folder / DOCUMENTS))
    questions = tuple(_question(row) for row in _read_lines(folder / QUESTIONS))
    rows = list(_read_lines(folder / FACTS))
    return BenchData(
        name=about["name"],
        scale=about["scale"],
        seed=about["seed"],
        documents=documents,
        questions=questions,
        stated=tuple(Stated(Fact.of(r["fact"]), tuple(r["documents"])) for r in rows if "documents" in r),
        rules=tuple(Rule(tuple(Fact.of(p) for p in r["if"]), Fact.of(r["then"])) for r in rows if "then" in r),
        background=tuple(Fact.of(r["fact"]) for r in rows if r.get("background")),
        about=about["about"],
        strict_words=about["strict_words"],
        made_words=about["made_words"],
        settings=about["settings"],
    )


def task_files(name: str) -> dict[str, str]:
    """Return the files of the lm_eval task by name: multiple choice by likelihood, with the choices not shown.

    lm_eval takes paths of data as relative to the folder that it is started in. A function beside the task knows where
    it lies itself, so that the folder can be moved and used from anywhere.
    """
    task = {
        "task": f"augft_{name.replace('-', '_')}",
        "test_split": "test",
        "output_type": "multiple_choice",
        "doc_to_text": "{{prompt}}",
        "doc_to_choice": "{{choices}}",
        "doc_to_target": "{{answer}}",
        "metric_list": [
            {"metric": metric, "aggregation": "mean", "higher_is_better": True} for metric in ("acc", "acc_norm")
        ],
        "metadata": {"version": 1.0},
    }
    # The tag of a function cannot be written by a safe dumper.
    return {TASK: f"{yaml.safe_dump(task, sort_keys=False)}custom_dataset: !function task.questions\n", READER: _READER}


def card(data: BenchData) -> str:
    """Describe the data set in Markdown."""
    counts = Counter(q.split for q in data.questions)
    first = data.questions[0]
    choices = ", ".join(f"“{c}”" for c in first.choices)
    lines = [
        f"# {data.name} ({data.scale}, seed {data.seed})",
        "",
        data.about,
        "",
        f"* {len(data.documents):,} training documents (`{DOCUMENTS}`), e.g. “{data.documents[0]}”",
        f"* {len(data.questions):,} questions (`{QUESTIONS}`, lm_eval task `{TASK}`): "
        f"{', '.join(f'{s} {n:,}' for s, n in counts.items())}",
        f"* chance {data.chance:.3f}; e.g. “{first.prompt}” … {choices}; right: “{first.choices[first.answer]}”",
        f"* {len(data.stated):,} trained facts, {len(data.rules)} rules (`{FACTS}`): every right choice follows from "
        f"them, no other does",
    ]
    if not data.strict_words:
        lines.append(
            "* Word statistics can do better or worse than chance here: `axolotl augft bench check` says how well."
        )
    return "\n".join([*lines, ""])


def _about(data: BenchData) -> dict[str, Any]:
    names = ("name", "scale", "seed", "about", "strict_words", "made_words", "settings")
    return {n: getattr(data, n) for n in names} | {"documents": len(data.documents), "questions": len(data.questions)}


def _question_row(question: Question) -> dict[str, Any]:
    row = asdict(question)
    fact = question.fact.as_list() if question.fact else None
    return {**row, "fact": fact, "distractors": [d.as_list() for d in question.distractors]}


def _question(row: dict[str, Any]) -> Question:
    fact = Fact.of(row["fact"]) if row.get("fact") else None
    distractors = tuple(Fact.of(d) for d in row.get("distractors", ()))
    return Question(
        row["id"],
        row["prompt"],
        tuple(row["choices"]),
        row["answer"],
        row["split"],
        fact,
        row.get("subset", ""),
        distractors,
    )


def _fact_rows(data: BenchData) -> Iterable[dict[str, Any]]:
    yield from ({"fact": s.fact.as_list(), "documents": list(s.documents)} for s in data.stated)
    yield from ({"fact": f.as_list(), "background": True} for f in data.background)
    yield from ({"if": [p.as_list() for p in r.premises], "then": r.conclusion.as_list()} for r in data.rules)


def _write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    with path.open("wb") as file:
        for row in rows:
            file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))


def _read_lines(path: Path) -> Sequence[Any]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines() if line.strip()]
