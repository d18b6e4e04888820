"""Data set entries -> source rows, loaded with axolotl's own loader and divided into training and held-out rows.

Held-out rows are chosen here, before augmentation, because axolotl splits after merging: an augmentation of a held-out row would be
trained on. The choice is by content (smallest digests of seed and row), so it is the same whatever the order of rows, and a row
added moves at most the boundary.
"""

import hashlib
import unicodedata
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
from datasets import Dataset, DatasetDict, concatenate_datasets

from axolotl_augft.errors import SourceError
from axolotl_augft.formats import Format, format_of, is_supported
from axolotl_augft.recipe import Recipe

PROVENANCE_PREFIX = "augft_"
_ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class Source:
    """One entry of `datasets`, loaded. Row numbers count from 0 in the entry as axolotl would load it.

    `format` is None for an entry that is not augmented; `content` is the format by which rows are compared, None if it is none of ours.
    `held_out`: rows for evaluation. `twins`: training rows equal to a held-out
    or test row after normalisation; they are neither trained on nor shown to the teacher. `textless`: rows that hold no text, which are
    left out everywhere.
    """

    entry: int
    path: str
    rows: Dataset
    format: Format | None
    content: Format | None
    held_out: tuple[int, ...] = ()
    twins: tuple[int, ...] = ()
    textless: tuple[int, ...] = ()

    @cached_property
    def reader(self) -> "RowReader":
        """The rows by number, for a reader that goes through them in order."""
        return RowReader(self.rows)

    @property
    def training_rows(self) -> Sequence[int]:
        """Numbers of the rows that are trained on, ascending."""
        left_out = {*self.held_out, *self.twins, *self.textless}
        return array("q", (i for i in range(len(self.rows)) if i not in left_out)) if left_out else range(len(self.rows))

    def training_texts(self) -> Iterator[tuple[int, str]]:
        """Numbers and texts of the rows that are trained on; none for an entry that is not augmented."""
        if self.format is None:
            return
        left_out = {*self.held_out, *self.twins, *self.textless}
        for i, row in enumerate(read_rows(self.rows)):
            if i not in left_out and (text := self.format.text(row)):
                yield i, text


def read_rows(rows: Dataset) -> Iterator[dict[str, Any]]:
    """All rows in order, read a few at a time: one by one takes ten times as long."""
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        columns = rows[start : start + _ROWS_AT_ONCE]
        for values in zip(*columns.values(), strict=True):
            yield dict(zip(columns, values, strict=True))


class RowReader:
    """Rows by their numbers, fast for numbers that ascend: a slice is read at a time."""

    def __init__(self, rows: Dataset) -> None:
        self._rows = rows
        self._start = -1
        self._columns: dict[str, list[Any]] = {}

    def __getitem__(self, number: int) -> dict[str, Any]:
        start = number - number % _ROWS_AT_ONCE
        if start != self._start:
            self._start, self._columns = start, self._rows[start : start + _ROWS_AT_ONCE]
        return {name: values[number - start] for name, values in self._columns.items()}


def load_sources(recipe: Recipe) -> list[Source]:
    """Loads every entry of `datasets` and takes out the held-out rows.

    Raises:
        SourceError: An entry cannot be loaded, is empty, or lacks a column.
    """
    loaded = []
    for i, entry in enumerate(recipe.datasets):
        rows = load_entry(entry, "train", recipe)
        where = f"datasets entry {entry['path']!r}"
        if len(rows) == 0:
            raise SourceError(f"{where}: no rows; give a file with at least one, or remove the entry")
        content = content_format(entry)
        form = content if recipe.is_augmented(i) else None
        textless: tuple[int, ...] = ()
        if content:
            content.check_columns(rows.column_names, where)
        if form:
            textless = tuple(n for n, row in enumerate(read_rows(rows)) if form.text(row) is None)
        if len(textless) == len(rows):
            raise SourceError(
                f"{where}: none of its {len(rows)} rows holds a text (they are empty, or not text); name the right column with `field:`"
            )
        loaded.append(Source(i, entry["path"], rows, form, content, textless=textless))
    return _hold_out(loaded, recipe)


def load_entry(entry: Mapping[str, Any], split: str, recipe: Recipe) -> Dataset:
    """One entry's rows as axolotl would load them: name lists, split and shards included; without columns of an earlier run.

    Raises:
        SourceError: Axolotl's loader cannot load it, or it has no such split.
    """
    from axolotl.utils.data.shared import datasets_with_name_generator
    from axolotl.utils.dict import DictDefault

    parts = [_load_part(part, split, recipe) for part in datasets_with_name_generator([DictDefault(entry)])]
    rows = parts[0] if len(parts) == 1 else concatenate_datasets(parts)
    return rows.remove_columns([c for c in rows.column_names if c.startswith(PROVENANCE_PREFIX)])


def _load_part(entry: Any, split: str, recipe: Recipe) -> Dataset:
    from axolotl.utils.data.shared import load_dataset_with_config

    try:
        rows = load_dataset_with_config(entry, recipe.hub_token, streaming=False)
    except Exception as error:
        raise SourceError(
            f"datasets entry {entry.path!r} cannot be loaded ({type(error).__name__}): {_first_line(error, entry.path)}"
        ) from error
    if isinstance(rows, DatasetDict):
        chosen = entry.split if entry.split in rows else split
        if chosen not in rows:
            raise SourceError(f"datasets entry {entry.path!r} has no split {chosen!r}; it has {', '.join(rows)}. Name one with `split:`")
        rows = rows[chosen]
    if entry.shards:
        rows = rows.shuffle(seed=recipe.seed).shard(num_shards=entry.shards, index=entry.shards_idx or 0)
    return rows


def _first_line(error: Exception, path: str | None) -> str:
    """The loader's own words, where they cannot hold text of the data (a parser's may)."""
    if path is not None and "://" not in path and not Path(path).exists():
        return "there is no such file or folder here, and no data set of that name on the hub that could be reached"
    if not isinstance(error, OSError | ValueError) or isinstance(error, pa.ArrowException):
        return "look at the file, or load it with datasets.load_dataset to see why"
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else "no further message"


def content_format(entry: Mapping[str, Any]) -> Format | None:
    """The format by which an entry's rows are compared with others, whether or not it is augmented."""
    return format_of(entry) if is_supported(entry.get("type")) else None


def row_digest(row: Mapping[str, Any], form: Format | None) -> bytes:
    """SHA-256 of a row's content: its text in a format we know (case, spacing and Unicode form ignored), else all its columns."""
    text = form.text(row) if form else None
    if text is None:
        content = orjson.dumps(dict(row), option=orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY, default=repr)
    else:
        content = " ".join(unicodedata.normalize("NFKC", text).casefold().split()).encode()
    return hashlib.sha256(content).digest()


def _digests(source: Source) -> Iterator[bytes | None]:
    """The rows' digests; None for a row without text."""
    textless = set(source.textless)
    return (None if i in textless else row_digest(row, source.content) for i, row in enumerate(read_rows(source.rows)))


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


def _test_digests(recipe: Recipe) -> set[bytes]:
    digests: set[bytes] = set()
    for entry in recipe.test_datasets:
        form = content_format(entry)
        rows = load_entry(entry, "test", recipe)
        if form:
            form.check_columns(rows.column_names, f"test_datasets entry {entry['path']!r}")
        digests.update(row_digest(row, form) for row in read_rows(rows))
    return digests
