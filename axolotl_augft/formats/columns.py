"""Formats with columns of their own for text, or question and answer: `completion`, `alpaca` and its relatives, user-defined types."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from axolotl_augft.errors import SourceError
from axolotl_augft.formats.content import Augmentation, Content, Exchange, Text, Turn, Unfit


@dataclass(frozen=True)
class CompletionFormat:
    """Axolotl's `type: completion`: one column of plain text."""

    column: str = "text"

    @property
    def writes(self) -> Literal["statements"]:
        """A statement is one more text."""
        return "statements"

    @property
    def told_by(self) -> tuple[str, ...]:
        """The text column."""
        return (self.column,)

    def check_columns(self, columns: list[str], where: str) -> None:
        """Raises SourceError if the text column is missing, naming the columns that are there."""
        _require([self.column], columns, where, "Name the text column with `field:`")

    def read(self, row: Mapping[str, Any]) -> Content:
        """The column's text without surrounding white space."""
        text = _text(row[self.column])
        return Text(text) if text else Unfit("no text", trainable=False)

    def row(self, source: Mapping[str, Any], augmentation: Augmentation) -> dict[str, Any]:
        """The source row with its text replaced."""
        return {**source, self.column: augmentation.text}


@dataclass(frozen=True)
class Columns:
    """The columns of a question-and-answer format.

    `input`: an optional column with a text that the question is about (alpaca's), which stays beside a rephrased
    question only. `article`: a text that question and answer are about, which stays beside every question. `system`:
    the system prompt's, which axolotl needs only where `needs_system`.
    """

    question: str = "instruction"
    answer: str = "output"
    input: str | None = "input"
    system: str | None = None
    needs_system: bool = True
    article: str | None = None


INPUT = "input"
# Axolotl 0.19's prompt strategies, by what its own code reads of a row.
_ALPACA = Columns()
_ALPACA_WITH_SYSTEM = Columns(system="system")
_ORCA = Columns("question", "response", None, system="system_prompt")
COLUMNS = {
    "alpaca": _ALPACA,
    "alpaca_instruct": _ALPACA,
    "alpaca_instruct.load_no_prompt": _ALPACA,
    "alpaca_chat": _ALPACA,
    "alpaca_chat.load_concise": _ALPACA,
    "alpaca_chat.load_no_prompt": _ALPACA,
    "alpaca_chat.load_qa": Columns("question", "answer", None),
    "alpaca_chat.load_camel_ai": Columns("message_1", "message_2", None),
    "alpaca_w_system": _ALPACA_WITH_SYSTEM,
    "alpaca_w_system.load_instruct": _ALPACA_WITH_SYSTEM,
    "alpaca_w_system.load_chat": _ALPACA_WITH_SYSTEM,
    "alpaca_w_system.load_open_orca": _ORCA,
    "alpaca_w_system.load_open_orca_chatml": _ORCA,
    "orcamini": _ORCA,
    "gpteacher": Columns(answer="response"),
    "oasst": Columns("INSTRUCTION", "RESPONSE", None),
    "metharme": Columns("prompt", "generation", None),
    "context_qa": Columns("question", "answer", None, article="article"),
    "context_qa.load_v2": Columns("question", "answer", None, article="context"),
}


@dataclass(frozen=True)
class ColumnsFormat:
    """A question and an answer in columns of their own; a row's other columns stay as they are.

    A rephrased question keeps its `input`; any other new question says everything itself, so its `input` is empty.
    """

    columns: Columns

    @property
    def writes(self) -> Literal["questions"]:
        """A question with its answer."""
        return "questions"

    @property
    def told_by(self) -> tuple[str, ...]:
        """The columns that the format reads."""
        own = self.columns
        return tuple(name for name in (own.question, own.answer, own.input, own.article) if name)

    def check_columns(self, columns: list[str], where: str) -> None:
        """Raises SourceError if a column that axolotl reads is missing, naming the columns that are there."""
        own = self.columns
        needed = [own.question, own.answer, own.article, own.system if own.needs_system else None]
        remedy = "Rename the columns, or name them in a `type:` block (field_instruction, field_output)"
        _require([name for name in needed if name], columns, where, remedy)

    def read(self, row: Mapping[str, Any]) -> Content:
        """The row's exchange, with its input or article before it."""
        own = self.columns
        for column in (own.question, own.answer, own.input):
            if column and not isinstance(row.get(column), str | None):
                return Unfit(f"{column!r} is no text", trainable=True)
        question, answer = _text(row[own.question]), _text(row[own.answer])
        if not answer:
            return Unfit(f"{own.answer!r} is empty", trainable=False)
        if not question:
            return Unfit(f"{own.question!r} is empty", trainable=row[own.question] is not None)
        texts = {"context": own.article, INPUT: own.input}
        before = tuple(
            Turn(role, text) for role, column in texts.items() if column and (text := _text(row.get(column)))
        )
        system = _text(row.get(own.system)) if own.system else None
        return Exchange(question, answer, before, system or "")

    def row(self, source: Mapping[str, Any], augmentation: Augmentation) -> dict[str, Any]:
        """The source row with its question and answer replaced."""
        own = self.columns
        row = {**source, own.question: augmentation.question}
        if augmentation.keeps_answer:
            return row
        row[own.answer] = augmentation.text
        if own.input and isinstance(source.get(own.input), str):
            row[own.input] = ""
        return row


def user_defined_format(fields: Mapping[str, Any]) -> ColumnsFormat:
    """The format of a `type:` block: `field_instruction`, `field_input`, `field_output`, `field_system`."""
    columns = Columns(
        question=fields.get("field_instruction") or "instruction",
        answer=fields.get("field_output") or "output",
        input=fields.get("field_input") or "input",
        system=fields.get("field_system") or "system",
        needs_system=False,
    )
    return ColumnsFormat(columns)


def _require(needed: Sequence[str], columns: Sequence[str], where: str, remedy: str) -> None:
    missing = [name for name in needed if name not in columns]
    if missing:
        raise SourceError(f"{where}: no column {missing[0]!r}; the columns are {', '.join(columns)}. {remedy}")


def _text(value: Any) -> str | None:
    """A column's text without surrounding white space; None if it is empty or not a text."""
    return value.strip() or None if isinstance(value, str) else None
