"""Blocks of a converted file -> rows of text, one a section.

Why sections: a section is about one thing, which is what a teacher can be asked about and a student can learn. Each row
begins with what it is about: the document's title and the headings above it, as in "Pump handbook > Alarms > Battery:
It lasts two days." They stand in one sentence with what follows, for a local request takes a document's first sentence
along as the opening that says who "it" is, and nobody should be asked to rephrase a bare heading.

A section longer than about 750 tokens is cut at paragraph ends (a longer paragraph at sentence ends), each part under
the same headings, so that rows fit into usual sequence lengths and each part can be read alone. Short sections are not
joined with their neighbours: under their own headings they read well, and a row that holds one answer is a better unit
than one that holds five. A heading without text makes no row; it stands at the top of those below it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from axolotl_augft.conversion.blocks import Block, Converted
from axolotl_augft.text.sentences import split_at_sentences
from axolotl_augft.text.tokens import ESTIMATE

# By the estimate of bytes / 4, for the rows must not depend on a tokenizer.
LONGEST = 750
SEPARATOR = " > "


@dataclass(frozen=True)
class SectionRow:
    """A row and where it comes from.

    `section`: the headings above it, or the pages of a PDF without any; "" for a text without either.
    """

    title: str
    section: str
    text: str


@dataclass(frozen=True)
class _Section:
    path: tuple[str, ...]
    blocks: tuple[Block, ...]


def cut_rows(converted: Converted, name: str, language: str) -> list[SectionRow]:
    """The rows of a file.

    Args:
        converted: Its title and blocks.
        name: Its name, which is the title where the file has none.
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
    """The title, and the blocks without it.

    The title is the first heading if it stands above all others and is of the first level, or if the file says no other
    title; else what the file says; else its name.
    """
    headings = [(i, b) for i, b in enumerate(converted.blocks) if b.level]
    if headings:
        i, first = headings[0]
        named = first.level == 1 or converted.title.startswith(first.text) or not converted.title
        if named and all(first.level < b.level for _, b in headings[1:]):
            return first.text, (*converted.blocks[:i], *converted.blocks[i + 1 :])
    return converted.title or PurePath(name).stem.replace("_", " ").replace("-", " "), converted.blocks


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
    """A section's blocks in parts of at most `limit` tokens; a single sentence above it stays whole."""
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
    """The words before a row's text; a colon parts them from it unless they end in a mark of their own, and lists begin on a new line."""
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
