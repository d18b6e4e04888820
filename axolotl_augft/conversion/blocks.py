"""A document file of any kind -> blocks of plain text, some of them headings."""

import re
from dataclasses import dataclass

# Not those that are white space, such as the form feed between two pages.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u200b\ufeff\u00ad]")
_SPACES = re.compile(r"[^\S\n]+")
_ITEM = re.compile(r"(?:[-–*•]|\(?\d{1,3}[.)])\s")
# A line with at least this many characters was wrapped; shorter ones, as in an address or a verse, end on purpose.
_WRAPPED = 50
MOST_BYTES = 50_000_000
"""Limit on a file's text or markup, or a DOCX's unpacked XML, in bytes: a guard against hostile or mistaken files.

PDFs have no such limit, because they are read page by page.
"""


class Unusable(Exception):
    """A file cannot become rows; the message says why in a few words, without quoting the file."""


def too_large() -> str:
    """Return the reason to give for a file above `MOST_BYTES`."""
    return f"more than {MOST_BYTES // 1_000_000} MB of text; split it"


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, paragraph, list item or table row.

    Attributes:
        text: Plain text, without surrounding white space.
        level: 1 to 6 for a heading, 0 for anything else.
        tight: Whether no blank line separates it from an adjacent tight block, as between the items of one list.
        page: The page of a PDF on which it begins, from 1.
    """

    text: str
    level: int = 0
    tight: bool = False
    page: int | None = None


@dataclass(frozen=True)
class Converted:
    """A converted file.

    Attributes:
        title: The title in the file's metadata, "" if there is none.
        blocks: Its content, in order.
        note: What the user should know about it, such as pages without text; "" if nothing.
    """

    title: str
    blocks: tuple[Block, ...]
    note: str = ""


def one_line(text: str) -> str:
    """Put a text on one line, without control characters."""
    return " ".join(_CONTROL.sub("", text).split())


def paragraphs(text: str) -> tuple[Block, ...]:
    """Split plain text into paragraphs at blank lines.

    Wrapped lines are joined; line breaks after short lines and before list items stay.
    """
    clean = _SPACES.sub(" ", _CONTROL.sub("", text))
    parts = (_unwrapped([line.strip() for line in part.strip().splitlines()]) for part in re.split(r"\n\s*\n", clean))
    return tuple(Block(part) for part in parts if part)


def _unwrapped(lines: list[str]) -> str:
    text = ""
    for before, line in zip(["", *lines], lines, strict=False):
        wrapped = len(before) >= _WRAPPED and not _ITEM.match(line)
        text += (" " if wrapped else "\n" if text else "") + line
    return text
