"""A user's question file -> checked questions, and the question file and task that lm_eval reads."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from axolotl_augft.bench.datasets.dataset import QUESTIONS, TASK, Question, task_files
from axolotl_augft.bench.report.output import write_text
from axolotl_augft.errors import BenchError


def check_questions(questions: Sequence[Question], where: str) -> None:
    """Refuse questions that cannot be scored.

    Raises:
        BenchError: There are no questions, or one has fewer than two choices, an empty prompt or choice, two equal
            choices, or an answer that is not the index of a choice.
    """
    if not questions:
        raise BenchError(f"{where}: no questions; give at least one row of prompt, choices and answer")
    for question in questions:
        reason = _fault(question)
        if reason:
            raise BenchError(f"{where}: question {question.id}: {reason}")


def _fault(question: Question) -> str | None:
    choices = question.choices
    if len(choices) < 2:
        return f"has {len(choices)} choices; a multiple-choice question needs at least two"
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

    `answer` is the index or the text of the right choice.

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
    if not isinstance(prompt, str) or not isinstance(choices, list) or not all(isinstance(c, str) for c in choices):
        raise BenchError(f"{path}: question {name}: needs prompt (a text) and choices (a list of texts)")
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


def write_task(name: str, questions: Iterable[Question], folder: Path, context: str = "") -> Path:
    """Write the questions and their lm_eval task.

    Args:
        name: Name of the data set.
        questions: The questions to score.
        folder: Output folder for the files.
        context: Documents to put before every prompt, separated from it by a blank line.

    Returns:
        Path of the task file.
    """
    before = f"{context}\n\n" if context else ""
    rows = ({"id": q.id, "prompt": before + q.prompt, "choices": q.choices, "answer": q.answer} for q in questions)
    write_text(
        folder / QUESTIONS, "".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE).decode() for row in rows)
    )
    for file, text in task_files(name).items():
        write_text(folder / file, text)
    return folder / TASK
