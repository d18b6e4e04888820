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
_FIGURES = {"statements": "statements", "precision": "precision", "wrong": "wrong", "unread": "not understood", "coverage": "coverage"}
_KEYS = {"teacher", "data", "documents", "setting", "check", *_FIGURES}

Row = Mapping[str, Any]


def main() -> None:
    """Prints the tables, or puts them into a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=Path, nargs="+")
    parser.add_argument("--page", type=Path)
    given = parser.parse_args()
    try:
        text = "\n".join(tables([row for file in given.rows for row in _rows(file)])) + "\n"
        if given.page is None:
            print(text)
        elif not _MARKS.search(page := given.page.read_text()):
            parser.error(f"{given.page}: no <!-- figures --> and <!-- /figures --> in it")
        else:
            given.page.write_text(_MARKS.sub(lambda _: text, page))
    except (OSError, ValueError) as error:
        parser.error(str(error))


def _rows(file: Path) -> list[Row]:
    try:
        rows = json.loads(file.read_text())
    except ValueError:
        rows = None
    if not rows or not isinstance(rows, list) or not all(isinstance(row, dict) and row.keys() >= _KEYS for row in rows):
        raise ValueError(f"{file}: no rows of prompt_settings.py; give a file that it wrote with --out")
    return rows


def tables(rows: Sequence[Row]) -> Iterator[str]:
    """Lines of Markdown.

    Args:
        rows: What `prompt_settings.py` wrote: a setting's figures under one check.

    Raises:
        ValueError: A setting is told twice.
    """

    def where(row: Row) -> tuple[str, str, int]:
        return row["data"], row["teacher"], -row["documents"]

    for (data, teacher, documents), some in groupby(sorted(rows, key=where), where):
        settings = _by_setting(list(some))
        checks = next(iter(settings.values()))
        heads = [what if check == "none" else f"with {check}: {what}" for check in checks for what in _FIGURES.values()]
        yield f"### {data}, {-documents:,} documents, written by {teacher}\n"
        yield "| setting | " + " | ".join(heads) + " |"
        yield "|---|" + "---:|" * len(heads)
        for setting, found in settings.items():
            yield f"| {setting} | " + " | ".join(_shown(found[check][name]) for check in checks for name in _FIGURES) + " |"
        yield ""


def _by_setting(rows: Sequence[Row]) -> dict[str, dict[str, Row]]:
    settings: dict[str, dict[str, Row]] = {}
    for row in rows:
        checks = settings.setdefault(row["setting"], {})
        if row["check"] in checks:
            raise ValueError(f"{row['data']}, {row['teacher']}: the setting {row['setting']!r} is told twice; give each file of rows once")
        checks[row["check"]] = row
    return settings


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    return "–" if value is None else f"{value:,}"


if __name__ == "__main__":
    main()
