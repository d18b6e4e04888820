"""A finished result -> lines for a person: sources beside what came of them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq

from axolotl_augft.errors import OutputError
from axolotl_augft.manifest import Manifest, load_note, load_result, result_folder
from axolotl_augft.recipe import Recipe
from axolotl_augft.reuse import find_result
from axolotl_augft.sources import Source, load_sources
from axolotl_augft.summary import summary_lines
from axolotl_augft.writing import REJECTED

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def report_lines(recipe: Recipe) -> list[str]:
    """The summary of the recipe's result.

    Raises:
        OutputError: There is none.
    """
    note = load_note(recipe)
    return summary_lines(_result(recipe), recipe, note.run if note else {})


def show_lines(recipe: Recipe, limit: int) -> Iterator[str]:
    """Up to `limit` documents, spread over the data set, each with its augmentations and its rejected statements.

    Raises:
        OutputError: There is no result.
    """
    _result(recipe)
    result = find_result(recipe)
    if result is None:
        raise OutputError("the data or the prompts have changed since this result was made; make it anew with `axolotl augft run`")
    folder = result_folder(recipe, result.fingerprint)
    rejected = _rejected(folder)
    for entry, (source, written) in enumerate(zip(load_sources(recipe), result.entries, strict=True)):
        if source.format is None:
            continue
        kept = _augmented(folder / written.augmented.name, source) if written.augmented else {}
        rows = sorted({*kept, *(row for e, row in rejected if e == source.entry)})
        for row in rows[:: max(1, len(rows) // limit)][:limit]:
            yield f"{_where(source, row)}: {clean(source.format.text(source.rows[row]) or '')}"
            yield from dict.fromkeys(f"  + {kind}: {clean(text)}" for kind, text in kept.get(row, []))
            yield from dict.fromkeys(f"  - {reason}: {clean(text)}" for reason, text in rejected.get((source.entry, row), []))
        if entry + 1 < len(result.entries):
            yield ""


def _where(source: Source, row: int) -> str:
    """A row's place: its number, and for a converted file its name."""
    name = source.rows[row]["augft_file"] if source.conversion else None
    return f"{source.path} row {row}" + (f" ({clean(name)})" if name else "")


def clean(text: str) -> str:
    """A text on one line, without control characters: what a teacher wrote must not steer a terminal."""
    return _CONTROL.sub(" ", text).strip()


def _result(recipe: Recipe) -> Manifest:
    result = load_result(recipe)
    if result is None:
        raise OutputError(f"no finished result for this recipe in {recipe.output_dir}; make one with `axolotl augft run`")
    return result


def _augmented(file: Path, source: Source) -> dict[int, list[tuple[str, str]]]:
    found: dict[int, list[tuple[str, str]]] = {}
    for batch in pq.ParquetFile(file).iter_batches():
        for row in batch.to_pylist():
            text = "".join(s["text"] for s in row["segments"]) if "segments" in row else _text(row, source)
            found.setdefault(row["augft_row"], []).append((row["augft_kind"], text))
    return found


def _text(row: dict[str, Any], source: Source) -> str:
    return (source.format.text(row) if source.format else None) or ""


def _rejected(folder: Path) -> dict[tuple[int, int], list[tuple[str, str]]]:
    """Reason and text by entry and row."""
    found: dict[tuple[int, int], list[tuple[str, str]]] = {}
    with (folder / REJECTED).open("rb") as file:
        for line in file:
            item = orjson.loads(line)
            found.setdefault((item["entry"], item["augft_row"]), []).append((item["reason"], item["text"]))
    return found
