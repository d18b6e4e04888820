"""Result -> what a person reads in a terminal: sources, each with its kept and rejected statements.

Into a file or a pipe it prints plain lines; on a terminal, tables with colours.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from axolotl_augft.cli.report import current_result
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.output.manifest import Manifest, result_folder
from axolotl_augft.report.reviewed import Reviewed, Statement, read_reviewed
from axolotl_augft.report.selection import Selection, doubt
from axolotl_augft.sources.loading import load_sources
from axolotl_augft.sources.source import Source
from axolotl_augft.text.terminal import clean


@dataclass(frozen=True)
class Shown:
    """A source with the statements to show, in the order to show them.

    Attributes:
        entry: Index of the entry.
        source: Path of the entry.
        file: The file of a folder that it comes from, None for other sources.
        row: Its row number.
        text: Its text.
        statements: What the teacher wrote about it.
    """

    entry: int
    source: str
    file: str | None
    row: int
    text: str
    statements: tuple[Statement, ...]

    @property
    def place(self) -> str:
        """Where it comes from."""
        return f"{self.source} row {self.row}" + (f" ({clean(self.file)})" if self.file else "")


def show(recipe: Recipe, limit: int, selection: Selection, doubtful: bool, console: Console) -> None:
    """Print up to `limit` sources of each entry with their statements.

    Args:
        recipe: The recipe.
        limit: Number of sources of each entry.
        selection: Which statements to show; sources without one are left out, unless everything is shown.
        doubtful: Show the sources with the most doubtful statements, and those statements first; otherwise sources
            spread over the entry.
        console: Where to print; tables if it is a terminal, else lines.

    Raises:
        OutputError: There is no result, or its inputs have changed since.
    """
    result = current_result(recipe)
    sources = load_sources(recipe)
    for number, (_, of_entry) in enumerate(
        groupby(_chosen(recipe, result, sources, limit, selection, doubtful), key=lambda shown: shown.entry)
    ):
        if number:
            console.line()
        for shown in of_entry:
            if console.is_terminal:
                console.print(_table(shown))
            else:
                console.out("\n".join(lines(shown)), highlight=False)
    for line in held_out_lines(result):
        console.out(line, highlight=False)


def lines(shown: Shown) -> list[str]:
    """Format a source and its statements as plain lines, equal ones once."""
    found = [f"{shown.place}: {clean(shown.text)}"]
    for s in shown.statements:
        found.append(f"  {'+' if s.reason is None else '-'} {_label(s)}{_probability(s)}: {clean(s.pair)}")
    return list(dict.fromkeys(found))


def held_out_lines(result: Manifest) -> list[str]:
    """Say which rows are held out, one line for each entry that has some."""
    return [
        f"{clean(e.path)}: {e.held_out.rows:,} rows held out for evaluation; nothing was written about them"
        for e in result.entries
        if e.held_out
    ]


def _chosen(
    recipe: Recipe, result: Manifest, sources: list[Source], limit: int, selection: Selection, doubtful: bool
) -> Iterator[Shown]:
    folder = result_folder(recipe, result.fingerprint)
    reviewed = read_reviewed(folder, result.entries, sources)
    for entry, of_entry in groupby(reviewed, key=lambda r: r.document.entry):
        found = (shown for r in of_entry if (shown := _shown(r, sources[entry], selection, doubtful)).statements)
        if doubtful:
            yield from heapq.nsmallest(limit, found, key=lambda s: doubt(s.statements[0], s.text))
        else:
            yield from _spread(list(found), limit)


def _spread(found: list[Shown], limit: int) -> Iterable[Shown]:
    return found[:: max(1, len(found) // limit)][:limit]


def _shown(reviewed: Reviewed, source: Source, selection: Selection, doubtful: bool) -> Shown:
    document = reviewed.document
    statements = [s for s in reviewed.statements if selection.matches(s)]
    if doubtful:
        statements.sort(key=lambda s: doubt(s, document.text))
    file = reviewed.file if source.conversion else None
    return Shown(source.entry, source.path, file, document.row, source.text(document.row), tuple(statements))


def _label(statement: Statement) -> str:
    """Return its kind, with the reason if it is rejected, or what it was rejected for if it was brought in."""
    if statement.reason is not None:
        return f"{statement.kind}, {statement.reason}"
    return statement.kind + (f", brought in by hand, was {statement.overruled}" if statement.overruled else "")


def _probability(statement: Statement) -> str:
    return "" if statement.probability is None else f" (P {statement.probability:.2f})"


def _table(shown: Shown) -> Table:
    """Return a source and its statements as a table; signs say the same as colours."""
    table = Table(title=Text(shown.place, "dim"), title_justify="left", caption_justify="left", expand=True)
    table.add_column("", width=1)
    table.add_column("kind")
    table.add_column("P", justify="right")
    table.add_column(Text(clean(shown.text)), ratio=1, overflow="fold")
    for s in dict.fromkeys(shown.statements):
        style = "green" if s.reason is None else "red"
        p = "" if s.probability is None else f"{s.probability:.2f}"
        said = Text(clean(s.pair), "" if s.reason is None else "dim")
        table.add_row(Text("+" if s.reason is None else "-", style), Text(_label(s), style), p, said)
    return table
