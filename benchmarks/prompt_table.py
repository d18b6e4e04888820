"""The figures of `prompt_settings.py` as one CSV file: a line for each teacher, data set, setting and check.

Usage: python benchmarks/prompt_table.py ROWS.json... [--check none] [--out benchmarks/results/prompts/prompts.csv]
"""

import argparse
import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_WHERE = ("data", "documents", "teacher", "setting", "check")
# Columns of shares, and what `prompt_settings.py` calls them.
_SHARES = {"precision": "precision", "wrong": "wrong", "not_understood": "unread", "coverage": "coverage"}
_KEYS = {*_WHERE, "statements", *_SHARES.values()}

Row = Mapping[str, Any]


def main() -> None:
    """Prints the CSV, or writes it to a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=Path, nargs="+", help="what prompt_settings.py wrote with --out")
    parser.add_argument("--check", help="take only the rows of this `verify` setting")
    parser.add_argument("--out", type=Path, help="the CSV file")
    given = parser.parse_args()
    try:
        rows = [row for file in given.rows for row in _rows(file) if given.check in (None, row["check"])]
        text = csv_text(rows)
        if given.out is None:
            print(text, end="")
        else:
            given.out.write_text(text, encoding="utf-8")
    except (OSError, ValueError) as error:
        parser.error(str(error))


def _rows(file: Path) -> list[Row]:
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        rows = None
    if not rows or not isinstance(rows, list) or not all(isinstance(row, dict) and row.keys() >= _KEYS for row in rows):
        raise ValueError(f"{file}: no rows of prompt_settings.py; give a file that it wrote with --out")
    return rows


def csv_text(rows: Sequence[Row]) -> str:
    """The rows as CSV, those of one data set and teacher together, settings in the order in which they were run.

    Args:
        rows: What `prompt_settings.py` wrote: a setting's figures under one check.

    Returns:
        The file's text. Shares have three decimals; one without a value (of no statements) is empty.

    Raises:
        ValueError: A setting is given twice.
    """
    seen: set[tuple[Any, ...]] = set()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_WHERE, "statements", *_SHARES])
    for row in sorted(rows, key=lambda row: (row["data"], -row["documents"], row["teacher"])):
        where = tuple(row[name] for name in _WHERE)
        if where in seen:
            raise ValueError(
                f"{row['data']}, {row['teacher']}: the setting {row['setting']!r} is given twice; give each file of "
                f"rows once"
            )
        seen.add(where)
        writer.writerow([*where, row["statements"], *(_share(row[name]) for name in _SHARES.values())])
    return text.getvalue()


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    main()
