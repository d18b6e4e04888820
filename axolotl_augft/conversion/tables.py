"""An HTML table -> one line per row, in which each cell keeps the names of its row and column."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bs4 import Tag

# Limits on spans, as in browsers, and on the whole grid: a cell of a few bytes can claim millions of places.
_WIDEST, _MOST_PLACES = 1000, 1_000_000


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cell; one that spans several places is the same object in each.

    Attributes:
        text: Its text.
        heads: Whether it is a header cell: `th`, or any cell in `thead`.
    """

    text: str
    heads: bool


def table_lines(table: Tag, text_of: Callable[[Tag], str]) -> Iterator[str]:
    """Yield a line for each row below the headers: `row name; column: cell; column: cell`.

    Header rows are those at the top that have only header cells, or stand in `thead`. The names of several header rows
    are joined, as in "Population 2020". Cells that span rows or columns stand in each of them. A header row within the
    table that spans its width is the name of the rows below it.
    """
    rows = [row for row in _grid(table, text_of) if any(cell and cell.text for cell in row)]
    header = _header_rows(rows)
    names = _column_names(rows[:header], rows[header:])
    group = " ".join(row[0].text for row in rows[:header] if row[0] and _spans_all(row) and 1 < len(row))
    for row in rows[header:]:
        if row[0] and row[0].heads and _spans_all(row) and len(names) > 1:
            group = row[0].text
            continue
        yield "; ".join(filter(None, (group, *_named_cells(row, names))))


def _named_cells(row: list[_Cell | None], names: list[str]) -> Iterator[str]:
    columns: dict[int, list[str]] = {}
    cells: dict[int, _Cell] = {}
    for cell, name in zip(row, [*names, *[""] * len(row)], strict=False):
        if cell is not None and cell.text:
            cells[id(cell)] = cell
            columns.setdefault(id(cell), []).append(name)
    if len(row) == 2 and row[0] and row[1] and row[0].heads and not row[1].heads and not any(names) and all(row):
        if row[0].text and row[1].text:
            yield f"{row[0].text.removesuffix(':')}: {row[1].text}"
            return
    for key, cell in cells.items():
        named = ", ".join(filter(None, dict.fromkeys(columns[key])))
        spans_all = len(columns[key]) == len(row) > 1
        yield cell.text if spans_all or not named or named == cell.text else f"{named}: {cell.text}"


def _header_rows(rows: list[list[_Cell | None]]) -> int:
    """Count the rows at the top that name columns; never all of them."""
    for count, row in enumerate(rows):
        if count == len(rows) - 1 or not all(cell.heads for cell in row if cell):
            return count
        if _spans_all(row) and any(not _spans_all(before) for before in rows[:count]):
            return count
    return 0


def _spans_all(row: list[_Cell | None]) -> bool:
    return len(set(map(id, row))) == 1


def _column_names(headers: list[list[_Cell | None]], rows: list[list[_Cell | None]]) -> list[str]:
    """Join the header cells of each column; without a corner above the rows' names, the headers begin beside it."""
    width = max(map(len, rows), default=0)
    named = all(row[0] and row[0].heads for row in rows)
    columns: list[list[str]] = [[] for _ in range(width)]
    for row in headers:
        if _spans_all(row) and width > 1:
            continue
        shift = 1 if named and len(row) == width - 1 else 0
        for cell, column in zip(row, columns[shift:], strict=False):
            if cell and cell.text and cell.text not in column:
                column.append(cell.text)
    return [" ".join(column) for column in columns]


def _grid(table: Tag, text_of: Callable[[Tag], str]) -> list[list[_Cell | None]]:
    """Lay the cells out in rows and columns; a cell that spans several places stands in each."""
    rows = [row for row in table.find_all("tr") if row.find_parent("table") is table]
    grid: list[list[_Cell | None]] = [[] for _ in rows]
    places = 0
    for y, row in enumerate(rows):
        x = 0
        for tag in row.find_all(["td", "th"], recursive=False):
            while x < len(grid[y]) and grid[y][x] is not None:
                x += 1
            cell = _Cell(text_of(tag), _heads(tag))
            width, height = _span(tag, "colspan", _WIDEST), _span(tag, "rowspan", len(rows) - y)
            places += width * height
            if places > _MOST_PLACES:
                width = height = 1
            for below in grid[y : y + height]:
                below += [None] * (x + width - len(below))
                below[x : x + width] = [cell] * width
            x += width
    return grid


def _heads(tag: Tag) -> bool:
    part = tag.find_parent(["thead", "tbody", "tfoot", "table"])
    return tag.name == "th" or (part is not None and part.name == "thead")


def _span(tag: Tag, name: str, most: int) -> int:
    value = str(tag.get(name, "1")).strip()
    return max(1, min(int(value), most)) if value.isdecimal() and len(value) < 10 else 1
