"""What every kind of document file is turned into: blocks of plain text, some of them headings."""

import re
from dataclasses import dataclass

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\ufeff\u00ad]")
_SPACES = re.compile(r"[^\S\n]+")


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
    """The paragraphs of plain text: what blank lines separate. Their line ends are kept."""
    clean = _SPACES.sub(" ", _CONTROL.sub("", text))
    parts = ("\n".join(line.strip() for line in part.splitlines()) for part in re.split(r"\n\s*\n", clean))
    return tuple(Block(part.strip()) for part in parts if part.strip())
