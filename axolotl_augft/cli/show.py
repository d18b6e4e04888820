"""Finished result -> lines for a person: source rows, each with its augmentations and rejected statements."""

from collections.abc import Iterator
from pathlib import Path

import orjson
from datasets import load_dataset

from axolotl_augft.cli.report import finished_result
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import OutputError
from axolotl_augft.formats.chat import ChatFormat
from axolotl_augft.formats.content import Content, Exchange, Text
from axolotl_augft.output.manifest import WrittenEntry, result_folder
from axolotl_augft.output.result import REJECTED
from axolotl_augft.output.reuse import find_result
from axolotl_augft.sources.loading import load_sources
from axolotl_augft.sources.source import Source
from axolotl_augft.text.terminal import clean


def show_lines(recipe: Recipe, limit: int) -> Iterator[str]:
    """Yield up to `limit` rows of each source, spread over it, each with its augmentations and rejected statements.

    Raises:
        OutputError: There is no result, or its inputs have changed since.
    """
    finished_result(recipe)
    result = find_result(recipe)
    if result is None:
        raise OutputError(
            "the data or the prompts have changed since this result was made; make it anew with `axolotl augft run`"
        )
    folder = result_folder(recipe, result.fingerprint)
    rejected = _rejected(folder)
    for entry, (source, written) in enumerate(zip(load_sources(recipe), result.entries, strict=True)):
        if source.format is None:
            continue
        kept = _augmented(folder, written, source)
        rows = sorted({*kept, *(row for e, row in rejected if e == source.entry)})
        for row in rows[:: max(1, len(rows) // limit)][:limit]:
            yield f"{_where(source, row)}: {clean(source.text(row))}"
            yield from dict.fromkeys(f"  + {kind}: {clean(text)}" for kind, text in kept.get(row, []))
            yield from dict.fromkeys(
                f"  - {reason}: {clean(text)}" for reason, text in rejected.get((source.entry, row), [])
            )
        if entry + 1 < len(result.entries):
            yield ""


def _where(source: Source, row: int) -> str:
    """Name a row by its source and number and, for a converted document, its file."""
    name = source.rows[row]["augft_file"] if source.conversion else None
    return f"{source.path} row {row}" + (f" ({clean(name)})" if name else "")


def _augmented(folder: Path, written: WrittenEntry, source: Source) -> dict[int, list[tuple[str, str]]]:
    """Read the kind and text of each augmentation of a source, by row number."""
    found: dict[int, list[tuple[str, str]]] = {}
    forms = (written.augmented, None if written.segments else source.format), (written.questions, ChatFormat())
    for file, form in forms:
        rows = (
            load_dataset("parquet", data_files=str(folder / file.name), split="train", streaming=True) if file else ()
        )
        for row in rows:
            text = _statement(form.read(row)) if form else "".join(s["text"] for s in row["segments"])
            found.setdefault(row["augft_row"], []).append((row["augft_kind"], text))
    return found


def _statement(content: Content) -> str:
    match content:
        case Text(text):
            return text
        case Exchange(question, answer):
            return _pair(question, answer)
        case _:
            return ""


def _pair(question: str | None, answer: str) -> str:
    return answer if question is None else f"{question} → {answer}"


def _rejected(folder: Path) -> dict[tuple[int, int], list[tuple[str, str]]]:
    """Read the reason and text of each rejected statement, by entry and row number."""
    found: dict[tuple[int, int], list[tuple[str, str]]] = {}
    with (folder / REJECTED).open("rb") as file:
        for line in file:
            item = orjson.loads(line)
            found.setdefault((item["entry"], item["augft_row"]), []).append(
                (item["reason"], _pair(item.get("question"), item["text"]))
            )
    return found
