"""A source row -> its content, and an augmentation -> a row with the source's columns, for each supported `type:`.

To add a format, write a class with the members of `Format`, and add it to `SUPPORTED_TYPES` and `format_of`. `REASONS`
says why other types of axolotl 0.19 are not augmented.
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
    """How the rows of one data set entry become documents, and augmentations become rows."""

    @property
    def writes(self) -> Writes:
        """What an augmentation of a row is: a statement (plain text), or a question with its answer."""

    @property
    def identity_columns(self) -> tuple[str, ...]:
        """The columns that identify a row's content; rows that are equal in them count as the same row."""

    def check_columns(self, columns: list[str], where: str) -> None:
        """Check that the entry has the columns that the format needs.

        Args:
            columns: The columns of the entry.
            where: The entry, for the error.

        Raises:
            SourceError: A needed column is missing; the message lists those that exist.
        """

    def read(self, row: Mapping[str, Any]) -> Content:
        """Return what the row holds; `Unfit` if nothing can be asked about it."""

    def row(self, source: Mapping[str, Any], augmentation: Augmentation) -> dict[str, Any]:
        """Make a row that holds the augmentation and otherwise the columns of its source row."""


def is_supported(entry_type: Any) -> bool:
    """Tell whether rows of this `type:` can be augmented."""
    return isinstance(entry_type, Mapping) or base_type(entry_type) in SUPPORTED_TYPES


def base_type(entry_type: Any) -> str:
    """Reduce a `type:` to its name, without prompt style or `.load` (`alpaca:chat` becomes `alpaca`)."""
    if isinstance(entry_type, Mapping):
        return USER_DEFINED
    name = str(entry_type or "")
    return name.split(":")[0].removesuffix(".load")


def why_unsupported(entry_type: Any) -> str | None:
    """Say why rows of an axolotl type are not augmented; None if `REASONS` does not have it."""
    name = base_type(entry_type)
    return REASONS.get(name) or REASONS.get(name.split(".")[0])


def format_of(entry: Mapping[str, Any]) -> Format:
    """Return the format of a data set entry, whose type must be supported."""
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
