"""A user's question file -> checked questions, and the question files and tasks that lm_eval reads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import yaml

from axolotl_augft.bench.datasets.dataset import QUESTIONS, TASK, Question, task_files
from axolotl_augft.bench.report.output import write_text
from axolotl_augft.errors import BenchError

WRITING_QUESTIONS, WRITING_TASK = "writing.jsonl", "writing.yaml"
"""What lm_eval reads where the student writes its answers."""


@dataclass(frozen=True)
class Tasks:
    """The lm_eval tasks of some questions.

    Attributes:
        choosing: Task of the questions with choices; None if there are none.
        writing: Task in which the student writes its answers; None if it is not asked to.
    """

    choosing: Path | None
    writing: Path | None


def check_questions(questions: Sequence[Question], where: str, written: bool = True) -> None:
    """Refuse questions that cannot be scored. One with a single choice is *open*: its answer is to be written.

    Args:
        questions: The questions.
        where: Where they are from.
        written: Whether the student writes answers.

    Raises:
        BenchError: There are no questions, or one has no choices, an empty prompt or choice, two equal choices, an
            answer that is not the index of a choice, or is open although the student writes no answers.
    """
    if not questions:
        raise BenchError(f"{where}: no questions; give at least one row of prompt, choices and answer")
    for question in questions:
        reason = _fault(question)
        if reason:
            raise BenchError(f"{where}: question {question.id}: {reason}")
        if question.is_open and not written:
            raise BenchError(
                f"{where}: question {question.id}: has no choices, so its answer is written; set scoring.answer_tokens"
            )


def _fault(question: Question) -> str | None:
    choices = question.choices
    if not choices:
        return "has 0 choices; a multiple-choice question needs at least two, an open one its answer"
    if not question.prompt.strip() or not all(choice.strip() for choice in choices):
        return "an empty prompt or choice; write text"
    stripped = [choice.strip() for choice in choices]
    twice = next((i for i, c in enumerate(stripped) if c in stripped[:i]), None)
    if twice is not None:
        return f"choices {stripped.index(stripped[twice])} and {twice} are equal; make all choices different"
    if not 0 <= question.answer < len(choices):
        return f"the answer {question.answer} is not an index of its {len(choices)} choices (0 to {len(choices) - 1})"
    return None


def read_questions(path: Path) -> tuple[Question, ...]:
    """Read questions from JSON lines with `prompt`, `choices` and `answer`, and optional `id`, `split` and `subset`.

    `answer` is the index or the text of the right choice. An open question has no `choices`, and `answer` is its text.

    Raises:
        BenchError: The file cannot be read, or a question cannot be scored.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise BenchError(f"{path}: cannot be read ({error.strerror})") from None
    questions = tuple(_question(line, n, path) for n, line in enumerate(lines, 1) if line.strip())
    check_questions(questions, str(path))
    return questions


def _question(line: bytes, number: int, path: Path) -> Question:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise BenchError(f"{path}: line {number}: not JSON ({error})") from None
    if not isinstance(row, dict):
        raise BenchError(
            f"{path}: line {number}: must be an object with prompt, choices and answer, got a {type(row).__name__}"
        )
    name = str(row.get("id", f"on line {number}"))
    prompt, choices = row.get("prompt"), row.get("choices")
    if choices is None and isinstance(row.get("answer"), str):
        choices = [row["answer"]]
    elif isinstance(choices, list) and len(choices) < 2:
        raise BenchError(
            f"{path}: question {name}: has {len(choices)} choices; give at least two, or for an answer that is to be "
            f"written only the answer"
        )
    if not isinstance(prompt, str) or not isinstance(choices, list) or not all(isinstance(c, str) for c in choices):
        raise BenchError(
            f"{path}: question {name}: needs prompt (a text) and choices (a list of texts) or answer (a text)"
        )
    answer = _answer(row, [c.strip() for c in choices], f"{path}: question {name}")
    split, subset = str(row.get("split", "questions")), str(row.get("subset", ""))
    return Question(name, prompt.rstrip(), tuple(c.strip() for c in choices), answer, split, subset=subset)


def _answer(row: Mapping[str, Any], choices: list[str], where: str) -> int:
    answer = row.get("answer")
    if isinstance(answer, bool) or not isinstance(answer, int | str):
        raise BenchError(
            f"{where}: answer must be the index or the text of the right choice, got a {type(answer).__name__}"
        )
    if isinstance(answer, int):
        return answer
    if answer.strip() not in choices:
        raise BenchError(
            f"{where}: the right answer is not among its {len(choices)} choices; give the exact text of a choice, or "
            f"its index"
        )
    return choices.index(answer.strip())


def read_form_rows(path: Path, questions: Sequence[Question]) -> tuple[str, ...]:
    """Read form rows, in the format of questions, as texts: a prompt with its right answer.

    Raises:
        BenchError: The file cannot be read, or asks one of the questions that are the test.
    """
    rows, asked = read_questions(path), {q.prompt for q in questions}
    if same := next((r for r in rows if r.prompt in asked), None):
        raise BenchError(
            f"{path}: question {same.id}: is one of the test's questions; form rows ask about other things"
        )
    return tuple(row.statement for row in rows)


def write_tasks(
    name: str,
    questions: Sequence[Question],
    folder: Path,
    answer_tokens: int | None = None,
    context: str = "",
    general: Sequence[Question] = (),
) -> Tasks:
    """Write the questions and their lm_eval tasks.

    Args:
        name: Name of the data set.
        questions: The questions to score.
        folder: Output folder for all files.
        answer_tokens: Longest answer that the student may write; None if it is not to write any.
        context: Documents to put before every prompt, separated from it by a blank line.
        general: Questions with choices that follow them, to which the student writes no answers.
    """
    before = f"{context}\n\n" if context else ""
    choosing = [q for q in (*questions, *general) if not q.is_open]
    if choosing:
        _write(folder / QUESTIONS, ({"id": q.id, "prompt": before + q.prompt, **_choices(q)} for q in choosing))
        for file, text in task_files(name).items():
            write_text(folder / file, text)
    if answer_tokens:
        rows = ({"id": q.id, "prompt": before + q.prompt, "answer": q.choices[q.answer]} for q in questions)
        _write(folder / WRITING_QUESTIONS, rows)
        write_text(folder / WRITING_TASK, _writing_yaml(name, folder / WRITING_QUESTIONS, answer_tokens))
    return Tasks(folder / TASK if choosing else None, folder / WRITING_TASK if answer_tokens else None)


def _choices(question: Question) -> dict[str, Any]:
    return {"choices": question.choices, "answer": question.answer}


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    write_text(path, "".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE).decode() for row in rows))


def _writing_yaml(name: str, questions: Path, answer_tokens: int) -> str:
    """Write the lm_eval task in which the student writes one line, the likeliest token each time."""
    task = {
        "task": f"augft_{name.replace('-', '_')}_writing",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(questions.resolve())}},
        "test_split": "test",
        "output_type": "generate_until",
        "doc_to_text": "{{prompt}}",
        "doc_to_target": "{{answer}}",
        "generation_kwargs": {"until": ["\n"], "max_gen_toks": answer_tokens, "do_sample": False},
        "metric_list": [
            {"metric": "exact_match", "aggregation": "mean", "higher_is_better": True, "ignore_case": True}
        ],
        "metadata": {"version": 1.0},
    }
    return yaml.safe_dump(task, sort_keys=False)
