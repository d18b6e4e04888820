"""The blocks of a converted file -> rows of text, one per section.

A section is about one thing, which makes it a good unit to ask a teacher about and to train a student on. Each row
begins with its subject, the document's title and the headings above the section, as in "Pump handbook > Alarms >
Battery: It lasts two days." Headings and text form one sentence, because a local request includes the document's first
sentence to say what "it" refers to, and because the teacher should not be asked to rephrase a bare heading.

A section longer than about 750 tokens is cut at paragraph ends, and a longer paragraph at sentence ends. Each part
repeats the headings, so that rows fit into the usual sequence lengths and each part can be read alone. Short sections
are not merged: they read well under their own headings, and a row that holds one answer is a better unit than one that
holds five. A heading without text makes no row of its own, but begins the rows of the sections below it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from axolotl_augft.conversion.blocks import Block, Converted
from axolotl_augft.text.sentences import split_at_sentences
from axolotl_augft.text.terminal import clean
from axolotl_augft.text.tokens import ESTIMATE

# Estimated tokens (bytes / 4), because the rows must not depend on a tokenizer.
LONGEST = 750
SEPARATOR = " > "


@dataclass(frozen=True)
class SectionRow:
    """A row, and its place in the document.

    Attributes:
        title: The document's title.
        section: The headings above the row, or the pages of a PDF without headings; "" if there is neither.
        text: The row's text, which begins with title and headings.
    """

    title: str
    section: str
    text: str


@dataclass(frozen=True)
class _Section:
    path: tuple[str, ...]
    blocks: tuple[Block, ...]


def section_rows(converted: Converted, name: str, language: str) -> list[SectionRow]:
    """Cut a file into rows.

    Args:
        converted: The file's title and blocks.
        name: The file's name, which serves as the title if the file has none.
        language: ISO 639 code, for sentence ends.
    """
    title, blocks = _titled(converted, name)
    rows = []
    for section in _sections(blocks):
        top = SEPARATOR.join((title, *section.path))
        for part in _parts(section.blocks, LONGEST - ESTIMATE.count(top), language):
            rows.append(
                SectionRow(
                    title, SEPARATOR.join(section.path) or _pages(part), f"{_opening(top, part[0])}{_joined(part)}"
                )
            )
    return rows


def _titled(converted: Converted, name: str) -> tuple[str, tuple[Block, ...]]:
    """Return the title, and the blocks without it.

    The title is the first heading, if it is above all others and is of level 1, or begins the title in the metadata, or
    the metadata have none. Otherwise it is the title in the metadata, and failing that, the file's name.
    """
    headings = [(i, b) for i, b in enumerate(converted.blocks) if b.level]
    if headings:
        i, first = headings[0]
        named = first.level == 1 or converted.title.startswith(first.text) or not converted.title
        if named and all(first.level < b.level for _, b in headings[1:]):
            return first.text, (*converted.blocks[:i], *converted.blocks[i + 1 :])
    return converted.title or clean(PurePath(name).stem.replace("_", " ").replace("-", " ")), converted.blocks


def _sections(blocks: tuple[Block, ...]) -> Iterator[_Section]:
    path: list[Block] = []
    own: list[Block] = []
    for block in (*blocks, Block("", level=1)):
        if not block.level:
            own.append(block)
            continue
        if own:
            yield _Section(tuple(h.text for h in path), tuple(own))
            own = []
        path = [h for h in path if h.level < block.level] + [block]


def _parts(blocks: tuple[Block, ...], limit: int, language: str) -> Iterator[list[Block]]:
    """Cut a section's blocks into parts of at most `limit` estimated tokens; a longer sentence stays whole."""
    part: list[Block] = []
    room = limit
    for block in blocks:
        for text in split_at_sentences(block.text, max(limit, 1), ESTIMATE.count, language):
            size = ESTIMATE.count(text)
            if size > room and part:
                yield part
                part, room = [], limit
            part.append(Block(text, tight=block.tight, page=block.page))
            room -= size
    if part:
        yield part


def _opening(top: str, first: Block) -> str:
    """Format the headings before a row's text: a colon if they end without punctuation; lists begin on a new line."""
    mark = ":" if top[-1].isalnum() or top[-1] in ")]\"'" else ""
    return top + mark + ("\n" if first.tight or "\n" in first.text else " ")


def _joined(blocks: list[Block]) -> str:
    text = blocks[0].text
    for before, block in zip(blocks, blocks[1:], strict=False):
        text += ("\n" if before.tight and block.tight else "\n\n") + block.text
    return text


def _pages(blocks: list[Block]) -> str:
    first, last = blocks[0].page, blocks[-1].page
    if first is None:
        return ""
    return f"page {first}" if first == last else f"pages {first}-{last}"
