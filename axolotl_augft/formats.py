"""A data set entry's format: source row -> document text, and augmentation -> row with the source's columns.

The seam for further formats: a class with the three methods of `Format`, and a line in `format_of`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from axolotl_augft.errors import SourceError

SUPPORTED_TYPES = ("completion",)


class Format(Protocol):
    """How rows of one data set entry become documents and back."""

    def check_columns(self, columns: list[str], where: str) -> None:
        """Raises SourceError if the entry lacks a column that the format needs."""

    def text(self, row: Mapping[str, Any]) -> str | None:
        """The document's text, or None where the row holds none (empty, or not a text)."""

    def row(self, source: Mapping[str, Any], text: str) -> dict[str, Any]:
        """A row that says `text`, with the other columns of its source row."""


@dataclass(frozen=True)
class CompletionFormat:
    """Axolotl's `type: completion`: one column of plain text."""

    column: str = "text"

    def check_columns(self, columns: list[str], where: str) -> None:
        """Raises SourceError if the text column is missing, naming the columns that are there."""
        if self.column not in columns:
            raise SourceError(
                f"{where}: no column {self.column!r}; the columns are {', '.join(columns)}. Name the text column with `field:`"
            )

    def text(self, row: Mapping[str, Any]) -> str | None:
        """The column's text without surrounding white space, or None if it is empty or not a text."""
        value = row[self.column]
        return value.strip() or None if isinstance(value, str) else None

    def row(self, source: Mapping[str, Any], text: str) -> dict[str, Any]:
        """The source row with its text replaced."""
        return {**source, self.column: text}


def is_supported(entry_type: Any) -> bool:
    """Whether rows of this `type:` can be augmented."""
    return entry_type in SUPPORTED_TYPES


def format_of(entry: Mapping[str, Any]) -> Format:
    """The format of a data set entry whose type is supported."""
    return CompletionFormat(entry.get("field") or "text")
