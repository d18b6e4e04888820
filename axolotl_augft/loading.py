"""Data set entries -> sources, loaded, and divided into training and held-out rows.

Held-out rows are chosen here, before augmentation, because axolotl splits after merging: an augmentation of a held-out row would be
trained on. The choice is by content (smallest digests of seed and row), so it is the same whatever the order of rows, and a row
added moves at most the boundary.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from datasets import Dataset

from axolotl_augft.contents import Content, Unfit
from axolotl_augft.errors import SourceError
from axolotl_augft.folder_entries import converted_file, is_documents
from axolotl_augft.folder_rows import Conversion, convert_path
from axolotl_augft.formats import Format
from axolotl_augft.recipe import Recipe
from axolotl_augft.sources import Problem, Source, content_format, load_entry, read_rows, row_digest


def load_sources(recipe: Recipe) -> list[Source]:
    """Loads every entry of `datasets` and takes out the held-out rows.

    Raises:
        SourceError: An entry cannot be loaded, is empty, or lacks a column.
    """
    loaded = []
    for i, entry in enumerate(recipe.datasets):
        conversion = _convert(entry, recipe) if is_documents(entry) else None
        rows = load_entry(entry, "train", recipe)
        where = f"datasets entry {entry['path']!r}"
        if len(rows) == 0:
            raise SourceError(f"{where}: no rows; give a file with at least one, or remove the entry")
        content = content_format(entry)
        form = content if recipe.is_augmented(i) else None
        if content:
            content.check_columns(rows.column_names, where)
        problems = _problems(rows, form) if form else ()
        if sum(len(p.rows) for p in problems) == len(rows):
            reasons = "; ".join(map(str, problems))
            raise SourceError(f"{where}: none of its {len(rows)} rows can be augmented ({reasons}); check its type and columns")
        loaded.append(Source(i, entry["path"], rows, form, content, problems=problems, conversion=conversion))
    return _hold_out(loaded, recipe)


def _problems(rows: Dataset, form: Format) -> tuple[Problem, ...]:
    """The rows that nothing can be asked about, by reason."""
    found: dict[Unfit, list[int]] = {}
    for i, row in enumerate(read_rows(rows)):
        content = form.read(row)
        if isinstance(content, Unfit):
            found.setdefault(content, []).append(i)
    return tuple(Problem(unfit.reason, unfit.trainable, tuple(numbers)) for unfit, numbers in found.items())


def _convert(entry: Mapping[str, Any], recipe: Recipe) -> Conversion:
    documents = recipe.augft.documents
    assert documents is not None, "an entry of documents comes from augft.documents"
    return convert_path(entry["path"], converted_file(recipe.output_dir, entry["path"]), documents.on_error, recipe.augft.language)


def _digests(source: Source) -> Iterator[bytes | None]:
    """The rows' digests; None for a row that is left out."""
    broken = source.broken
    return (None if i in broken else row_digest(row, source.content) for i, row in enumerate(read_rows(source.rows)))


def _hold_out(sources: list[Source], recipe: Recipe) -> list[Source]:
    """Marks held-out rows, and training rows that equal a held-out or test row."""
    tests = _test_digests(recipe)
    wanted = _held_out_count(recipe.val_set_size, sum(len(s.rows) for s in sources))
    if not tests and not wanted:
        return sources
    digests = [list(_digests(s)) for s in sources]
    unique = {d: (s, i) for s in reversed(range(len(sources))) for i, d in reversed(list(enumerate(digests[s]))) if d is not None}
    seed = recipe.seed.to_bytes(8, "big", signed=True)
    ranked = sorted(unique, key=lambda d: hashlib.sha256(seed + d).digest())
    held_out = set(ranked[:wanted])
    if len(held_out) == len(unique):
        raise SourceError(
            f"val_set_size {recipe.val_set_size:g} holds out all {len(unique)} different rows, so none is left to train on; lower it"
        )
    return [_marked(source, digests[s], held_out, tests, unique, s) for s, source in enumerate(sources)]


def _marked(
    source: Source,
    digests: list[bytes | None],
    held_out: set[bytes],
    tests: set[bytes],
    unique: dict[bytes, tuple[int, int]],
    s: int,
) -> Source:
    own = {i: d for i, d in enumerate(digests) if d is not None}
    chosen = tuple(i for i, d in own.items() if d in held_out and unique[d] == (s, i))
    left_out = set(chosen)
    twins = tuple(i for i, d in own.items() if (d in held_out or d in tests) and i not in left_out)
    return replace(source, held_out=chosen, twins=twins)


def _held_out_count(val_set_size: float, rows: int) -> int:
    """Rows to hold out: a fraction below 1, else a count (axolotl rounds a fraction up too)."""
    if val_set_size >= 1:
        return int(val_set_size)
    return -int(-(val_set_size * rows) // 1) if val_set_size else 0


def _test_rows(recipe: Recipe) -> Iterator[tuple[Mapping[str, Any], Format | None]]:
    """The rows of `test_datasets`, each with its format."""
    for entry in recipe.test_datasets:
        form = content_format(entry)
        rows = load_entry(entry, "test", recipe)
        if form:
            form.check_columns(rows.column_names, f"test_datasets entry {entry['path']!r}")
        yield from ((row, form) for row in read_rows(rows))


def _test_digests(recipe: Recipe) -> set[bytes]:
    return {row_digest(row, form) for row, form in _test_rows(recipe)}


def evaluation_contents(sources: Iterable[Source], recipe: Recipe) -> Iterator[Content]:
    """What the held-out rows and the rows of `test_datasets` hold, in formats we know."""
    for source in sources:
        if source.content:
            yield from (source.content.read(source.rows[i]) for i in source.held_out)
    yield from (form.read(row) for row, form in _test_rows(recipe) if form)
