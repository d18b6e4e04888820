"""Statements that options select -> marks in a file, which the next run applies without a teacher."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from axolotl_augft.cli.report import current_result
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import ConfigError
from axolotl_augft.files.durable import write_file
from axolotl_augft.judging.rules import Reason
from axolotl_augft.marks import Mark, read_marks
from axolotl_augft.output.manifest import result_folder
from axolotl_augft.report.reviewed import Statement, read_reviewed
from axolotl_augft.report.selection import Selection
from axolotl_augft.sources.loading import load_sources

DEFAULT_FILE = "marks.jsonl"


@dataclass(frozen=True)
class Marked:
    """The statements that would be marked.

    Attributes:
        path: The file of marks.
        marks: The new marks.
        statements: What they are about, in the order of the marks.
    """

    path: Path
    marks: tuple[Mark, ...]
    statements: tuple[Statement, ...]


def select(recipe: Recipe, selection: Selection, file: str | None) -> Marked:
    """Find the statements to mark: kept ones to take out, rejected ones to bring in.

    Args:
        recipe: The recipe.
        selection: Which statements; its `rejected` says which of the two.
        file: The file of marks; the recipe's `augft.marks` by default, else `marks.jsonl`.

    Raises:
        ConfigError: Nothing is selected, so that everything would be marked.
        OutputError: There is no result, or its inputs have changed since.
    """
    if Selection(rejected=selection.rejected) == selection:
        raise ConfigError(
            "this would mark every statement; say which ones with --kind, --reason, --grep or --below, or "
            "`--grep .` for all"
        )
    found = {Mark("in" if s.reason else "out", s.document, s.text, s.question): s for s in _selected(recipe, selection)}
    return Marked(Path(file or recipe.augft.marks or DEFAULT_FILE), tuple(found), tuple(found.values()))


def save(marked: Marked) -> int:
    """Add the marks to their file, in place of older ones of the same statements; return how many it then holds.

    Raises:
        ConfigError: The file holds something else.
        OutputError: It cannot be written.
    """
    before = read_marks(marked.path) if marked.path.exists() else []
    together = {mark.key: mark for mark in (*before, *marked.marks)}
    write_file(marked.path, b"".join(mark.as_line() for mark in together.values()), "marks")
    return len(together)


def _selected(recipe: Recipe, selection: Selection) -> Iterator[Statement]:
    result = current_result(recipe)
    folder = result_folder(recipe, result.fingerprint)
    for reviewed in read_reviewed(folder, result.entries, load_sources(recipe)):
        for s in reviewed.statements:
            if s.text.strip() and s.reason != Reason.LEAK and selection.matches(s):
                yield s
