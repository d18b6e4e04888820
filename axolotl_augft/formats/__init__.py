"""A data set entry's format: source row -> content, and augmentation -> row with the source's columns.

The seam for further formats: a class with the members of `Format`, and a line in `format_of`. What axolotl 0.19 knows
besides, and why it is not augmented, is in `REASONS`.
"""

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from axolotl_augft.formats.chat import ChatFormat
from axolotl_augft.formats.columns import COLUMNS, ColumnsFormat, CompletionFormat, user_defined_format
from axolotl_augft.formats.content import Augmentation, Content
from axolotl_augft.formats.segments import SegmentFormat

Writes = Literal["statements", "questions"]
SUPPORTED_TYPES = ("completion", "chat_template", "input_output", *COLUMNS)
USER_DEFINED = "a block of field_instruction, field_output …"
REASONS = {
    "summarizetldr": "its question is a whole article",
    "jeopardy": "axolotl puts 'what is' before every answer",
    "explainchoice": "its choices belong to their question",
    "concisechoice": "its choices belong to their question",
    "reflection": "its reflection belongs to its answer",
    "context_qa.load_404": "axolotl writes the same answer to every question",
    "creative_acr": "its critiques belong to their answer",
    "llama2_chat": "it has its own chat template; take chat_template",
    "pygmalion": "it has its own chat template; take chat_template",
    "messages": "axolotl's new message format is not settled; take chat_template",
    "pretrain": "its rows are streamed",
    "stepwise_supervised": "it trains a reward model",
    "bradley_terry": "it trains a reward model",
    "_synthetic": "its rows are random tokens",
    "sharegpt": "axolotl has no such type any more; take chat_template with field_messages: conversations",
}


class Format(Protocol):
    """How rows of one data set entry become documents and back."""

    @property
    def writes(self) -> Writes:
        """What an augmentation of such a row is: a statement (plain text), or a question with its answer."""

    @property
    def told_by(self) -> tuple[str, ...]:
        """The columns that make up what a row says: rows that are equal in these are the same."""

    def check_columns(self, columns: list[str], where: str) -> None:
        """Raises SourceError if the entry lacks a column that the format needs."""

    def read(self, row: Mapping[str, Any]) -> Content:
        """What the row holds."""

    def row(self, source: Mapping[str, Any], augmentation: Augmentation) -> dict[str, Any]:
        """A row that says the augmentation, with the other columns of its source row."""


def is_supported(entry_type: Any) -> bool:
    """Whether rows of this `type:` can be augmented."""
    return isinstance(entry_type, Mapping) or base_type(entry_type) in SUPPORTED_TYPES


def base_type(entry_type: Any) -> str:
    """A `type:` without its prompt style (`alpaca:chat` is `alpaca`) and without `.load`."""
    if isinstance(entry_type, Mapping):
        return USER_DEFINED
    name = str(entry_type or "")
    return name.split(":")[0].removesuffix(".load")


def reason_against(entry_type: Any) -> str | None:
    """Why rows of this type are not augmented, where axolotl knows the type and we know why."""
    name = base_type(entry_type)
    return REASONS.get(name) or REASONS.get(name.split(".")[0])


def format_of(entry: Mapping[str, Any]) -> Format:
    """The format of a data set entry whose type is supported."""
    entry_type = entry.get("type")
    if isinstance(entry_type, Mapping):
        return user_defined_format(entry_type)
    match base_type(entry_type):
        case "completion":
            return CompletionFormat(entry.get("field") or "text")
        case "chat_template":
            return ChatFormat.from_entry(entry)
        case "input_output":
            return SegmentFormat()
        case name:
            return ColumnsFormat(COLUMNS[name])
