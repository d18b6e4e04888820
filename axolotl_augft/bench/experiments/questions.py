"""Questions as a user writes them -> checked questions; and the file and task that lm_eval reads."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from axolotl_augft.bench.datasets.dataset import QUESTIONS, TASK, Question, task_yaml
from axolotl_augft.bench.report.output import write_text
from axolotl_augft.errors import BenchError


def check_questions(questions: Sequence[Question], where: str) -> None:
    """Refuses questions that cannot be scored.

    Raises:
        BenchError: There are none, or one has no two different choices, or its answer is not among them.
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
        return f"the answer {question.answer} is no index of its {len(choices)} choices (0 to {len(choices) - 1})"
    return None


def read_questions(path: Path) -> tuple[Question, ...]:
    """Questions from JSON lines with `prompt`, `choices` and `answer` (index or text of the right choice), perhaps `id`, `split`, `subset`.

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
            f"{where}: the right answer is not among its {len(choices)} choices; write it as it stands there, or its "
            f"index"
        )
    return choices.index(answer.strip())


def write_task(name: str, questions: Iterable[Question], folder: Path, context: str = "") -> Path:
    """Writes the questions and their lm_eval task.

    Args:
        name: Of the task.
        questions: What is asked.
        folder: Where both files go.
        context: Documents that stand before every prompt, with a blank line between.

    Returns:
        The path of the task.
    """
    before = f"{context}\n\n" if context else ""
    rows = ({"id": q.id, "prompt": before + q.prompt, "choices": q.choices, "answer": q.answer} for q in questions)
    write_text(
        folder / QUESTIONS, "".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE).decode() for row in rows)
    )
    write_text(folder / TASK, task_yaml(name, folder / QUESTIONS))
    return folder / TASK
