"""A data set entry -> its source rows, loaded with axolotl's own loader, and their contents."""

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
    """The rows of one entry that cannot be augmented for the same reason.

    Attributes:
        reason: Why they cannot be augmented.
        trainable: They are still trained on; otherwise they are left out altogether.
        rows: Their numbers.
    """

    reason: str
    trainable: bool
    rows: tuple[int, ...]

    @property
    def what(self) -> str:
        """What happens to the rows, and why, for messages."""
        return f"{'trained on, but not augmented' if self.trainable else 'left out'}: {self.reason}"

    def __str__(self) -> str:
        shown = ", ".join(map(str, self.rows[:_SHOWN_ROWS])) + (" …" if len(self.rows) > _SHOWN_ROWS else "")
        one = len(self.rows) == 1
        return f"{len(self.rows)} {'row is' if one else 'rows are'} {self.what} ({'row' if one else 'rows'} {shown})"


@dataclass(frozen=True)
class Source:
    """One loaded entry of `datasets`. Row numbers count from 0 in the entry as axolotl would load it.

    Attributes:
        entry: Index of the entry in the recipe's `datasets`.
        path: Path of the entry, as the recipe has it.
        rows: All rows.
        format: The format by which rows are augmented, None if the entry is not augmented.
        content: The format by which rows are compared, None if the entry's type is not supported.
        held_out: Rows for evaluation.
        twins: Rows equal to a held-out or test row after normalisation; neither trained on nor shown to the teacher.
        problems: Rows that cannot be augmented.
        conversion: What became of the files of an entry of `augft.documents`, None for other entries.
        beyond_share: Rows that the entry's `weight` leaves out; not used at all.
        excerpt: Some rows by number, where `rows` is only there for the columns; None where it has all rows.
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
    excerpt: Mapping[int, Mapping[str, Any]] | None = None

    @property
    def broken(self) -> set[int]:
        """Numbers of the rows that can be neither augmented nor trained on."""
        return {row for problem in self.problems if not problem.trainable for row in problem.rows}

    def text(self, row: int) -> str:
        """Return all text of a row, or "" if its format is not supported."""
        return text_of(self.content.read(self.reader[row]) if self.content else None)

    @cached_property
    def reader(self) -> "RowReader | Mapping[int, Mapping[str, Any]]":
        """Access to the rows by number, fast if the numbers ascend."""
        return RowReader(self.rows) if self.excerpt is None else self.excerpt

    def without_rows(self) -> "Source":
        """Return the source with its columns but none of its rows, for another process, which gets an excerpt."""
        no_rows = Dataset.from_dict({name: [] for name in self.rows.features}, features=self.rows.features)
        return Source(self.entry, self.path, no_rows, self.format, self.content)

    @property
    def training_rows(self) -> Sequence[int]:
        """Numbers of the rows to train on, ascending."""
        left_out = self._left_out
        return (
            array("q", (i for i in range(len(self.rows)) if i not in left_out)) if left_out else range(len(self.rows))
        )

    @property
    def is_text(self) -> bool:
        """Whether the source is augmented and holds plain text, which can be split into sentences."""
        return self.format is not None and self.format.writes == "statements"

    def training_contents(self) -> Iterator[tuple[int, Content]]:
        """Yield the number and content of each row to train on; nothing if the format is not supported."""
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
    """Return all text of a row's content, including a system prompt, or "" if it holds none that can be read."""
    match content:
        case Text(text):
            return text
        case Exchange(system=system):
            return f"{system}\n{content.text}" if system else content.text
        case _:
            return ""


def read_rows(rows: Dataset) -> Iterator[dict[str, Any]]:
    """Yield all rows in order, reading them in slices: reading them one by one takes ten times as long."""
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        columns = rows[start : start + _ROWS_AT_ONCE]
        for values in zip(*columns.values(), strict=True):
            yield dict(zip(columns, values, strict=True))


class RowReader:
    """Access to rows by number. It keeps the slice that it read last, so it is fast if the numbers ascend."""

    def __init__(self, rows: Dataset) -> None:
        self._rows = rows
        self._start = -1
        self._columns: dict[str, list[Any]] = {}

    def __getitem__(self, number: int) -> dict[str, Any]:
        start = number - number % _ROWS_AT_ONCE
        if start != self._start:
            self._start, self._columns = start, self._rows[start : start + _ROWS_AT_ONCE]
        return {name: values[number - start] for name, values in self._columns.items()}


def load_entry(entry: DatasetEntry, split: str, recipe: Recipe, where: str = "") -> Dataset:
    """Load an entry's rows as axolotl would, with its name lists, split and shards.

    Provenance columns of an earlier run are removed, and images and sound stay undecoded. The rows of an entry of
    `augft.documents` come from its converted file, with their provenance columns.

    Args:
        entry: The entry.
        split: The split to take if the entry names none that exists.
        recipe: The recipe, for its seed and hub token.
        where: What the entry is, for errors. Default: a `datasets` entry, with its path.

    Raises:
        SourceError: Axolotl's loader cannot load the entry, or the entry has no such split.
    """
    from axolotl.utils.data.shared import datasets_with_name_generator
    from axolotl.utils.dict import DictDefault

    if entry.is_documents:
        return Dataset.from_parquet(str(converted_file(recipe.output_dir, entry.path)))
    where = where or f"datasets entry {entry.path!r}"
    named = datasets_with_name_generator([DictDefault(entry.for_loader())])
    parts = [_load_part(part, split, recipe, where) for part in named]
    rows = parts[0] if len(parts) == 1 else concatenate_datasets(parts)
    rows = rows.remove_columns([c for c in rows.column_names if c.startswith(PROVENANCE_PREFIX)])
    return (
        rows.cast(with_decoding(rows.features, False)) if with_decoding(rows.features, False) != rows.features else rows
    )


def with_decoding(features: Features, decode: bool) -> Features:
    """Return the features with images and sound as the bytes of their files (`decode` False), or as axolotl loads them.

    Bytes pass through the stage unchanged and are the same each time they are read; a decoded image is neither.
    """

    def changed(feature: Any) -> Any:
        if isinstance(feature, Image | Audio):
            return replace(feature, decode=decode)
        return List(changed(feature.feature), feature.length) if isinstance(feature, List) else feature

    return Features({name: changed(feature) for name, feature in features.items()})


def _load_part(entry: Any, split: str, recipe: Recipe, where: str) -> Dataset:
    from axolotl.utils.data.shared import load_dataset_with_config

    try:
        rows = load_dataset_with_config(entry, recipe.hub_token, streaming=False)
    except Exception as error:
        raise SourceError(
            f"{where} cannot be loaded ({type(error).__name__}): {_first_line(error, entry.path)}"
        ) from error
    if isinstance(rows, DatasetDict):
        chosen = entry.split if entry.split in rows else split
        if chosen not in rows:
            raise SourceError(f"{where} has no split {chosen!r}; it has {', '.join(rows)}. Name one with `split:`")
        rows = rows[chosen]
    if entry.shards:
        rows = rows.shuffle(seed=recipe.seed).shard(num_shards=entry.shards, index=entry.shards_idx or 0)
    return rows


def _first_line(error: Exception, path: str | None) -> str:
    """Explain why loading failed; quote the loader only if its message cannot contain row text (a parser's can)."""
    if path is not None and "://" not in path and not Path(path).exists():
        return "there is no such file or folder here, and no data set of that name on the hub that could be reached"
    if not isinstance(error, OSError | ValueError) or isinstance(error, pa.ArrowException):
        return "look at the file, or load it with datasets.load_dataset to see why"
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else "no further message"


def content_format(entry: DatasetEntry) -> Format | None:
    """Return the format by which an entry's rows are compared, augmented or not; None if its type is not supported."""
    return format_of(entry.layout) if is_supported(entry.type) else None


def row_digest(row: Mapping[str, Any], form: Format | None) -> bytes:
    """Return the SHA-256 of a row's content: its text or its exchange, as far as the format can read it.

    Case, spacing and Unicode form are ignored, so that the same exchange is recognized in another format. A row that
    cannot be read is hashed by the columns that identify it in its format; without a format, by all its columns.
    """
    match form.read(row) if form else None:
        case Text(text):
            content = _comparable(text).encode()
        case Exchange(question, answer, before):
            parts = [*(f"{t.role}: {t.text}" for t in before), question, answer]
            content = "\0".join(map(_comparable, parts)).encode()
        case _:
            identity = {k: row.get(k) for k in form.identity_columns} if form else dict(row)
            content = orjson.dumps(identity, option=orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY, default=repr)
    return hashlib.sha256(content).digest()


def _comparable(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
