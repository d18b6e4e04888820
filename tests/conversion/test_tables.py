"""Tables: each cell keeps the names of its row and column."""

import pytest

from axolotl_augft.conversion.html import from_html

TABLES = {
    "one header row": ("<tr><th>City<th>Pop<tr><td>Ulm<td>5", ["City: Ulm; Pop: 5"]),
    "none": ("<tr><td>Ulm<td>5<tr><td>Bonn<td>6", ["Ulm; 5", "Bonn; 6"]),
    "thead of plain cells": ("<thead><tr><td>City<td>Pop</thead><tr><td>Ulm<td>5", ["City: Ulm; Pop: 5"]),
    "two header rows": (
        "<tr><th rowspan=2>City<th colspan=2>Pop<tr><th>2010<th>2020<tr><th>Ulm<td>1<td>2<tr><td>Bonn<td>3<td>4",
        ["City: Ulm; Pop 2010: 1; Pop 2020: 2", "City: Bonn; Pop 2010: 3; Pop 2020: 4"],
    ),
    "three header rows": (
        "<tr><th rowspan=3>C<th colspan=2>X<tr><th colspan=2>Y<tr><th>a<th>b<tr><td>1<td>2<td>3",
        ["C: 1; X Y a: 2; X Y b: 3"],
    ),
    "rowspan in the first column": (
        "<tr><th>Land<th>City<th>Pop<tr><td rowspan=2>North<td>A<td>1<tr><td>B<td>2<tr><td>South<td>C<td>3",
        ["Land: North; City: A; Pop: 1", "Land: North; City: B; Pop: 2", "Land: South; City: C; Pop: 3"],
    ),
    "rowspan in the last column": (
        "<tr><th>City<th>Pop<tr><td>A<td rowspan=2>1<tr><td>B",
        ["City: A; Pop: 1", "City: B; Pop: 1"],
    ),
    "rowspan beyond the table": ("<tr><th>A<th>B<tr><td rowspan=9>1<td>2", ["A: 1; B: 2"]),
    "colspan in a row": ("<tr><th>Mo<th>Tu<th>We<tr><td colspan=2>open<td>shut", ["Mo, Tu: open; We: shut"]),
    "a cell over the whole row": ("<tr><th>A<th>B<tr><td>1<td>2<tr><td colspan=2>All shut", ["A: 1; B: 2", "All shut"]),
    "header over all columns": ("<tr><th colspan=2>Fees<tr><th>Kind<th>Sum<tr><td>x<td>5", ["Fees; Kind: x; Sum: 5"]),
    "no corner": (
        "<tr><th>2010<th>2020<tr><th>Ulm<td>1<td>2<tr><th>Bonn<td>3<td>4",
        ["Ulm; 2010: 1; 2020: 2", "Bonn; 2010: 3; 2020: 4"],
    ),
    "empty corner": ("<tr><th><th>2010<tr><th>Ulm<td>1<tr><th>Bonn<td>3", ["Ulm; 2010: 1", "Bonn; 2010: 3"]),
    "header with fewer cells": ("<tr><th>A<th>B<tr><td>1<td>2<td>3", ["A: 1; B: 2; 3"]),
    "header with more cells": ("<tr><th>A<th>B<th>C<tr><td>1<td>2", ["A: 1; B: 2"]),
    "rows of different lengths": (
        "<tr><th>A<th>B<th>C<tr><td>1<td>2<td>3<tr><td>4<td>5",
        ["A: 1; B: 2; C: 3", "A: 4; B: 5"],
    ),
    "groups of rows": (
        "<tr><th>Name<th>Age<tr><th colspan=2>Crew<tr><td>Bo<td>5<tr><th colspan=2>Guests<tr><td>Al<td>6",
        ["Crew; Name: Bo; Age: 5", "Guests; Name: Al; Age: 6"],
    ),
    "rows with names, columns without": ("<tr><th>Depth<td>5 m<tr><th>Width:<td>3 m", ["Depth: 5 m", "Width: 3 m"]),
    "header cells only": ("<tr><th>A<th>B", ["A; B"]),
    "an empty header row": ("<tr><th><th><tr><th>A<th>B<tr><td>1<td>2", ["A: 1; B: 2"]),
    "bad spans": ("<tr><th>A<th>B<tr><td colspan=x>1<td rowspan=-3 colspan=0>2", ["A: 1; B: 2"]),
}


@pytest.mark.parametrize("name", TABLES)
def test_table(name):
    html, lines = TABLES[name]
    assert [block.text for block in from_html(f"<table>{html}</table>").blocks] == [f"- {line}" for line in lines]


def test_spans_without_end_are_bounded():
    blocks = from_html("<table>" + "<tr><td rowspan=65534 colspan=100000>x" * 3000 + "</table>").blocks
    assert len(blocks) == 3000
