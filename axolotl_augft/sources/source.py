"""A data set entry's source rows, loaded with axolotl's own loader, and what they hold."""

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
from datasets import Audio, Dataset, DatasetDict, Features, Image, List, concatenate_datasets

from axolotl_augft.config.entries import DatasetEntry, converted_file
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.conversion.rows import Conversion
from axolotl_augft.errors import SourceError
from axolotl_augft.formats import Format, format_of, is_supported
from axolotl_augft.formats.content import Content, Exchange, Text

PROVENANCE_PREFIX = "augft_"
_SHOWN_ROWS = 5
_ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class RowProblem:
    """Rows of one entry that nothing can be asked about, for one reason.

    Rows that are not `trainable` are left out everywhere.
    """

    reason: str
    trainable: bool
    rows: tuple[int, ...]

    @property
    def what(self) -> str:
        """What becomes of the rows, and why."""
        return f"{'trained on, but not augmented' if self.trainable else 'left out'}: {self.reason}"

    def __str__(self) -> str:
        shown = ", ".join(map(str, self.rows[:_SHOWN_ROWS])) + (" …" if len(self.rows) > _SHOWN_ROWS else "")
        one = len(self.rows) == 1
        return f"{len(self.rows)} {'row is' if one else 'rows are'} {self.what} ({'row' if one else 'rows'} {shown})"


@dataclass(frozen=True)
class Source:
    """One entry of `datasets`, loaded. Row numbers count from 0 in the entry as axolotl would load it.

    `format` is None for an entry that is not augmented; `content` is the format by which rows are compared, None if it
    is none of ours. `held_out`: rows for evaluation. `twins`: training rows equal to a held-out or test row after
    normalisation; they are neither trained on nor shown to the teacher. `problems`: rows that cannot be augmented.
    `conversion`: what became of the files of an entry of `augft.documents`. `beyond_share`: rows that the entry's
    `weight` leaves out; they are used for nothing.
    """

    entry: int
    path: str
    rows: Dataset
    format: Format | None
    content: Format | None
    held_out: tuple[int, ...] = ()
    twins: tuple[int, ...] = ()
    problems: tuple[RowProblem, ...] = ()
    conversion: Conversion | None = None
    beyond_share: Sequence[int] = ()

    @property
    def broken(self) -> set[int]:
        """Numbers of the rows that cannot be trained on."""
        return {row for problem in self.problems if not problem.trainable for row in problem.rows}

    def text(self, row: int) -> str:
        """All text of a row, "" if its format is none of ours."""
        return text_of(self.content.read(self.reader[row]) if self.content else None)

    @cached_property
    def reader(self) -> "RowReader":
        """The rows by number, for a reader that goes through them in order."""
        return RowReader(self.rows)

    @property
    def training_rows(self) -> Sequence[int]:
        """Numbers of the rows that are trained on, ascending."""
        left_out = self._left_out
        return (
            array("q", (i for i in range(len(self.rows)) if i not in left_out)) if left_out else range(len(self.rows))
        )

    @property
    def is_text(self) -> bool:
        """Whether it is augmented and holds plain text, which can be split into sentences."""
        return self.format is not None and self.format.writes == "statements"

    def training_contents(self) -> Iterator[tuple[int, Content]]:
        """Numbers and contents of the rows that are trained on; none where its format is none of ours."""
        if self.content is None:
            return
        left_out = self._left_out
        for i, row in enumerate(read_rows(self.rows)):
            if i not in left_out:
                yield i, self.content.read(row)

    @property
    def _left_out(self) -> set[int]:
        return {*self.held_out, *self.twins, *self.broken, *self.beyond_share}


def text_of(content: Content | None) -> str:
    """All text of a row, with its system prompt; "" if nothing can be read of it."""
    match content:
        case Text(text):
            return text
        case Exchange(system=system):
            return f"{system}\n{content.text}" if system else content.text
        case _:
            return ""


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


def load_entry(entry: DatasetEntry, split: str, recipe: Recipe) -> Dataset:
    """One entry's rows as axolotl would load them: name lists, split and shards included; without columns of an earlier run.

    Those of an entry of `augft.documents` are in its converted file, with the columns that say where they come from.

    Raises:
        SourceError: Axolotl's loader cannot load it, or it has no such split.
    """
    from axolotl.utils.data.shared import datasets_with_name_generator
    from axolotl.utils.dict import DictDefault

    if entry.is_documents:
        return Dataset.from_parquet(str(converted_file(recipe.output_dir, entry.path)))
    parts = [
        _load_part(part, split, recipe) for part in datasets_with_name_generator([DictDefault(entry.for_loader())])
    ]
    rows = parts[0] if len(parts) == 1 else concatenate_datasets(parts)
    rows = rows.remove_columns([c for c in rows.column_names if c.startswith(PROVENANCE_PREFIX)])
    return (
        rows.cast(with_decoding(rows.features, False)) if with_decoding(rows.features, False) != rows.features else rows
    )


def with_decoding(features: Features, decode: bool) -> Features:
    """Columns of images and sound as their files' bytes (`decode` False), or as axolotl loads them.

    Bytes go through the stage as they are, and are the same at every reading; a decoded image is neither.
    """

    def changed(feature: Any) -> Any:
        if isinstance(feature, Image | Audio):
            return replace(feature, decode=decode)
        return List(changed(feature.feature), feature.length) if isinstance(feature, List) else feature

    return Features({name: changed(feature) for name, feature in features.items()})


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
            raise SourceError(
                f"datasets entry {entry.path!r} has no split {chosen!r}; it has {', '.join(rows)}. Name one with "
                f"`split:`"
            )
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


def content_format(entry: DatasetEntry) -> Format | None:
    """The format by which an entry's rows are compared with others, whether or not it is augmented."""
    return format_of(entry.layout) if is_supported(entry.type) else None


def row_digest(row: Mapping[str, Any], form: Format | None) -> bytes:
    """SHA-256 of a row's content: its text, or question and answer, in a format we know, else all its columns.

    Case, spacing and Unicode form are ignored, so that the same exchange is found again in another format.
    """
    match form.read(row) if form else None:
        case Text(text):
            content = _comparable(text).encode()
        case Exchange(question, answer, before):
            parts = [*(f"{t.role}: {t.text}" for t in before), question, answer]
            content = "\0".join(map(_comparable, parts)).encode()
        case _:
            told = {k: row.get(k) for k in form.identity_columns} if form else dict(row)
            content = orjson.dumps(told, option=orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY, default=repr)
    return hashlib.sha256(content).digest()


def _comparable(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
