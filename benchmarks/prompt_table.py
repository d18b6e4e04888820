"""The figures of `prompt_settings.py` as tables, one for each teacher and data set.

Usage: python benchmarks/prompt_table.py ROWS.json... [--page docs/teachers.md]

With --page they are put between that file's <!-- figures --> marks.
"""

import argparse
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

_MARKS = re.compile(r"(?<=<!-- figures -->\n).*?(?=<!-- /figures -->)", re.DOTALL)
_COLUMNS = (
    "statements",
    "precision",
    "wrong",
    "not understood",
    "coverage",
    "with names: statements",
    "precision",
    "wrong",
    "not understood",
    "coverage",
)
_FIGURES = ("statements", "precision", "wrong", "unread", "coverage")

Row = Mapping[str, Any]


def main() -> None:
    """Prints the tables, or puts them into a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=Path, nargs="+")
    parser.add_argument("--page", type=Path)
    given = parser.parse_args()
    text = "\n".join(_tables([row for file in given.rows for row in json.loads(file.read_text())])) + "\n"
    if given.page is None:
        print(text)
    elif not _MARKS.search(page := given.page.read_text()):
        parser.error(f"{given.page}: no <!-- figures --> and <!-- /figures --> in it")
    else:
        given.page.write_text(_MARKS.sub(lambda _: text, page))


def _tables(rows: Sequence[Row]) -> Iterator[str]:
    def where(row: Row) -> tuple[str, str, int]:
        return row["data"], row["teacher"], -row["documents"]

    for (data, teacher, documents), some in groupby(sorted(rows, key=where), where):
        yield f"### {data}, {-documents:,} documents, written by {teacher}\n"
        yield "| setting | " + " | ".join(_COLUMNS) + " |"
        yield "|---|" + "---:|" * len(_COLUMNS)
        yield from _lines(list(some))
        yield ""


def _lines(rows: Sequence[Row]) -> Iterator[str]:
    """One for each setting; its answers without a check, then with `verify: names`."""
    settings: dict[str, dict[str, Row]] = {}
    for row in rows:
        settings.setdefault(row["setting"], {})[row["check"]] = row
    for setting, checks in settings.items():
        figures = [_shown(checks[check][name]) for check in ("none", "names") for name in _FIGURES]
        yield f"| {setting} | " + " | ".join(figures) + " |"


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    return "–" if value is None else f"{value:,}"


if __name__ == "__main__":
    main()
