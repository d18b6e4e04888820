"""What every kind of document file is turned into: blocks of plain text, some of them headings."""

import re
from dataclasses import dataclass

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\ufeff\u00ad]")
_SPACES = re.compile(r"[^\S\n]+")
_ITEM = re.compile(r"(?:[-–*•]|\(?\d{1,3}[.)])\s")
# Characters of a line that another wrapped after; an address or a verse has shorter ones.
_WRAPPED = 50
MOST_BYTES = 50_000_000
"""What a hostile or mistaken file may take: bytes of markup or text, and of a DOCX's unpacked text.

A PDF is read page by page.
"""


class Unusable(Exception):
    """A file that cannot become rows; its text says why, in a few words."""


def too_large() -> str:
    """What to say of a file above `MOST_BYTES`."""
    return f"more than {MOST_BYTES // 1_000_000} MB of text; split it"


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, paragraph, list item or table row.

    Attributes:
        text: Plain text, without surrounding white space.
        level: 1 to 6 for a heading, 0 for anything else.
        tight: Whether it stands right below a tight block before it, as items of one list do.
        page: The page of a PDF that it begins on, from 1.
    """

    text: str
    level: int = 0
    tight: bool = False
    page: int | None = None


@dataclass(frozen=True)
class Converted:
    """A converted file.

    Attributes:
        title: What the file itself calls its title, "" if it does not say.
        blocks: Its content, in order.
        note: What a user should know about it, e.g. that pages hold no text.
    """

    title: str
    blocks: tuple[Block, ...]
    note: str = ""


def one_line(text: str) -> str:
    """A text on one line, without control characters."""
    return " ".join(_CONTROL.sub("", text).split())


def paragraphs(text: str) -> tuple[Block, ...]:
    """The paragraphs of plain text: what blank lines separate.

    Wrapped lines are joined; ends of short lines and of list items stay.
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
