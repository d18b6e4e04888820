"""The package's worked examples, or a user's file -> the examples that a recipe may show."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal, get_args

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from axolotl_augft.config.augment import Kind
from axolotl_augft.errors import ConfigError

Form = Literal["statements", "questions", "short_questions", "exchanges"]
_FOLDER = Path(__file__).parent
_POOLS: dict[Form, str] = {
    "statements": "examples.jsonl",
    "questions": "question_examples.jsonl",
    "short_questions": "question_examples.jsonl",
    "exchanges": "exchange_examples.jsonl",
}
POOL = _FOLDER / _POOLS["statements"]
KINDS = get_args(Kind)


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "is blank")
    return text


_Text = Annotated[str, AfterValidator(_not_blank)]


class Statement(BaseModel):
    """A statement of a worked example, or the answer to `question` if there is one; `short` is its shortest form."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Kind
    text: _Text
    question: _Text | None = None
    short: _Text | None = None


class Example(BaseModel):
    """A sentence, or a question with its answer, and what a teacher should write about it.

    Attributes:
        id: Name of the example, unique within its pool.
        text: The sentence or the question.
        statements: The statements, or the questions with answers, that the example shows.
        answer: The answer, if `text` is a question.
        context: A preceding sentence, if `text` cannot be understood without it.
        relation: The pool's own word for what the sentence expresses: identity, comparison, …
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: _Text
    text: _Text
    statements: tuple[Statement, ...] = Field(min_length=1)
    answer: _Text | None = None
    context: str | None = None
    relation: str | None = None

    @property
    def form(self) -> Form:
        """The form of the example.

        "statements" and "questions" are about a sentence; "exchanges" are about a question with its answer.
        """
        if self.answer is not None:
            return "exchanges"
        return "questions" if all(s.question for s in self.statements) else "statements"


def load_pool(file: str | None, form: Form = "statements") -> tuple[Example, ...]:
    """Load the worked examples of one form.

    Args:
        file: A user's JSON Lines file. If it holds examples of this form, they replace the package's pool.
        form: The form of examples to load.

    Raises:
        ConfigError: The file cannot be read, holds no example, has a line that is not a valid example, or uses an id
            twice.
    """
    own = _of_form(_read_pool(Path(file)), form) if file else ()
    return own or _of_form(_read_pool(_FOLDER / _POOLS[form]), form)


def _of_form(pool: Iterable[Example], form: Form) -> tuple[Example, ...]:
    """Select the examples of a form; for short answers, those that have some, with these in place of the long ones."""
    if form != "short_questions":
        return tuple(e for e in pool if e.form == form)
    short = (
        e.model_copy(update={"statements": tuple(_shortened(s) for s in e.statements if s.short)})
        for e in pool
        if e.form == "questions"
    )
    return tuple(e for e in short if e.statements)


def _shortened(statement: Statement) -> Statement:
    return statement.model_copy(update={"text": statement.short})


def _read_pool(path: Path) -> tuple[Example, ...]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ConfigError(
            f"examples {path}: cannot be read ({type(error).__name__}); give the path of a JSON Lines file"
        ) from None
    pool = tuple(_example(line, path, number) for number, line in enumerate(lines, 1) if line.strip())
    if not pool:
        raise ConfigError(
            f"examples {path}: contains no example; give one JSON object per line, with text and statements"
        )
    # Prompts are remembered by the ids of their examples.
    if repeated := [name for name, count in Counter(example.id for example in pool).items() if count > 1]:
        raise ConfigError(
            f"examples {path}: id {repeated[0]!r} is used more than once; give each example its own, or none"
        )
    return pool


def with_kinds(pool: Sequence[Example], kinds: Sequence[str]) -> tuple[Example, ...]:
    """Reduce each example to its statements of these kinds, in the order of `kinds`, and drop examples without any."""
    cut = (
        e.model_copy(update={"statements": tuple(s for k in kinds for s in e.statements if s.kind == k)}) for e in pool
    )
    return tuple(e for e in cut if e.statements)


def _example(line: bytes, path: Path, number: int) -> Example:
    try:
        return Example.model_validate({"id": f"line-{number}", **orjson.loads(line)})
    except (orjson.JSONDecodeError, TypeError):
        raise ConfigError(f"examples {path}, line {number}: not a JSON object") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(p) for p in first["loc"])
        raise ConfigError(
            f"examples {path}, line {number}: {where}: {first['msg'].lower()}; expected text and statements (each with "
            f"text and kind, one of {', '.join(KINDS)}), optionally id, context and relation; for questions and "
            "answers, also answer, and a question in each statement"
        ) from None
