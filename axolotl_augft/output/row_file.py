"""Rows -> one Parquet file, with the source's columns and with `augft_…` columns that say where each row comes from."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson
import pyarrow as pa
from datasets import Features, List, Value
from datasets.arrow_writer import ArrowWriter, ParquetWriter

from axolotl_augft.judging.read_statements import Inference
from axolotl_augft.judging.rules import Judged
from axolotl_augft.output.manifest import WrittenFile
from axolotl_augft.output.student import Student
from axolotl_augft.sources.documents import document_id
from axolotl_augft.sources.source import PROVENANCE_PREFIX, Source, with_decoding
from axolotl_augft.text.tokens import TokenCounter
from axolotl_augft.verifying.coverage import covered_sentence

PROVENANCE = Features(
    {
        "augft_strategy": Value("string"),
        "augft_kind": Value("string"),
        "augft_source": Value("string"),
        "augft_row": Value("int64"),
        "augft_sentence": Value("int64"),
        "augft_document": Value("string"),
        "augft_request": Value("string"),
        "augft_sample": Value("int64"),
        "augft_probability": Value("float64"),
        "augft_alone": Value("float64"),
        "augft_rests_on": List(Value("string")),
        "augft_overruled": Value("string"),
    }
)
REJECTED = "rejected.jsonl"
MESSAGES = Features({"messages": List({"role": Value("string"), "content": Value("string")})})
SEGMENTS = Features({"segments": List({"label": Value("bool"), "text": Value("string")})})


@dataclass(frozen=True)
class RowText:
    """What the tokens of a row are counted in.

    Attributes:
        text: Text of the row.
        trained: The texts in it that the student is trained on, each with its end; None for all.
    """

    text: str
    trained: Sequence[str] | None = None

    @cached_property
    def parts(self) -> Sequence[str] | None:
        """The trained texts if they are not the whole one, which then is tokenized once."""
        return None if self.trained is None or list(self.trained) == [self.text] else self.trained


@dataclass(frozen=True)
class RowSizes:
    """Tokens of each row of a file.

    Attributes:
        tokens: Tokens of its text.
        trained: Those that the student is trained on.
    """

    tokens: "array[int]" = field(default_factory=lambda: array("q"))
    trained: "array[int]" = field(default_factory=lambda: array("q"))

    def add(self, rows: Sequence[RowText], tokens: TokenCounter) -> None:
        """Count the tokens of rows."""
        counts = iter(tokens.count_all([text for row in rows for text in (row.text, *(row.parts or ()))]))
        for row in rows:
            whole, parts = next(counts), row.parts
            self.tokens.append(whole)
            self.trained.append(whole + 1 if parts is None else sum(islice(counts, len(parts))) + len(parts))

    def extend(self, other: "RowSizes") -> None:
        """Add the sizes of further rows."""
        self.tokens.extend(other.tokens)
        self.trained.extend(other.trained)


@dataclass(frozen=True)
class RowPart:
    """Some rows of a file.

    Attributes:
        table: The rows as an Arrow stream; b"" if there are none.
        sizes: Their sizes.
    """

    table: bytes = b""
    sizes: RowSizes = field(default_factory=RowSizes)


class RowBuffer:
    """Collects rows that are to become a part of a file.

    Args:
        features: The columns of the file and their types.
        tokens: Counts the tokens of their texts.
    """

    def __init__(self, features: Features, tokens: TokenCounter) -> None:
        self._tokens = tokens
        self._stream = pa.BufferOutputStream()
        self._writer = ArrowWriter(stream=self._stream, features=features)
        self._texts: list[RowText] = []

    def add(self, row: Mapping[str, Any], text: str, trained: Sequence[str] | None = None) -> None:
        """Collect a row; the arguments are those of `RowFile.add`."""
        self._writer.write(dict(row))
        self._texts.append(RowText(text, trained))

    def part(self) -> RowPart:
        """Return all rows; none can be added any more."""
        if not self._texts:
            return RowPart()
        self._writer.finalize(close_stream=False)
        sizes = RowSizes()
        sizes.add(self._texts, self._tokens)
        return RowPart(self._stream.getvalue().to_pybytes(), sizes)


class RowFile:
    """Writes a Parquet file and counts the tokens of its text; leaves no file if no row was written.

    The file is the same whether its rows are added one by one or in parts.

    Args:
        path: The file to write.
        features: Its columns and their types.
        student: The student model, whose tokenizer counts tokens.
    """

    def __init__(self, path: Path, features: Features, student: Student) -> None:
        self._path = path
        self._student = student
        self._writer = ParquetWriter(path=str(path), features=features)
        self._waiting: list[pa.Table] = []
        self.sizes = RowSizes()

    def __enter__(self) -> "RowFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.sizes.tokens:
            self._write_waiting(1)
            self._writer.finalize()
        self._writer.close()
        if not self.sizes.tokens:
            self._path.unlink(missing_ok=True)

    def add(self, row: Mapping[str, Any], text: str, trained: Sequence[str] | None = None) -> None:
        """Write a row.

        Args:
            row: Values of the columns.
            text: Text of the row, for counting tokens.
            trained: The texts in it that the student is trained on, each with its end; by default, all.
        """
        self._writer.write(dict(row))
        self.sizes.add([RowText(text, trained)], self._student.tokens)

    def add_part(self, part: RowPart) -> None:
        """Write the rows of a part; to a file that gets its rows in parts, none is added singly."""
        if part.table:
            self._waiting.append(pa.ipc.open_stream(part.table).read_all())
            self.sizes.extend(part.sizes)
            self._write_waiting(self._writer.writer_batch_size)

    def _write_waiting(self, least: int) -> None:
        """Write the rows that wait in row groups of the writer's size, as long as there are at least so many."""
        size = self._writer.writer_batch_size
        if sum(table.num_rows for table in self._waiting) < least:
            return
        rows = pa.concat_tables(self._waiting)
        while rows.num_rows >= least:
            self._writer.write_table(rows.slice(0, size))
            rows = rows.slice(size)
        self._waiting = [rows] if rows.num_rows else []

    @property
    def written(self) -> WrittenFile | None:
        """The manifest's description of the file, None if no row was written."""
        rows, sizes = len(self.sizes.tokens), self.sizes
        return WrittenFile(self._path.name, rows, sum(sizes.tokens), sum(sizes.trained)) if rows else None


def messages(inference: Inference) -> dict[str, Any]:
    """Make the columns of a chat row from a question and its answer."""
    turns = (("user", inference.question), ("assistant", inference.text))
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


def _origin_columns(source: Source) -> list[str]:
    """Return the names of the columns that say which file of `augft.documents` a row comes from."""
    return [c for c in source.rows.column_names if c.startswith(PROVENANCE_PREFIX)]


def origin(source: Source, row: int) -> dict[str, Any]:
    """Return the columns that say which file of `augft.documents` a row comes from; empty for other sources."""
    columns = _origin_columns(source)
    return {c: source.reader[row][c] for c in columns} if columns else {}


def provenance(source: Source, judged: Judged) -> dict[str, Any]:
    """Return the provenance columns of an augmentation."""
    task, inference = judged.task, judged.inference
    return {
        "augft_strategy": task.strategy,
        "augft_kind": inference.kind,
        "augft_source": source.path,
        "augft_row": task.target.row,
        "augft_sentence": covered_sentence(judged) if task.sentences else inference.sentence,
        "augft_document": task.target.id,
        "augft_request": task.request.key.hex() if task.is_asked else None,
        "augft_sample": task.request.sample if task.is_asked else None,
        "augft_probability": judged.probability,
        "augft_alone": judged.alone,
        "augft_rests_on": list(inference.rests_on),
        "augft_overruled": judged.overruled and str(judged.overruled),
    }


def source_provenance(source: Source, row: int, strategy: str, text: str) -> dict[str, Any]:
    """Return the provenance columns of a row that the teacher did not write.

    Args:
        source: The source of the row.
        row: Number of the source row.
        strategy: "original", "held_out" or "replay".
        text: Text of the row, from which its document id is made.
    """
    nothing = dict.fromkeys(PROVENANCE)
    own = {
        "augft_strategy": strategy,
        "augft_source": source.path,
        "augft_row": row,
        "augft_document": document_id(text),
    }
    return {**nothing, **own}


def rejected_line(source: Source, judged: Judged) -> bytes:
    """Format a rejected inference as a line of JSON."""
    said = {"question": judged.inference.question} if judged.inference.question is not None else {}
    line = {
        "entry": source.entry,
        **provenance(source, judged),
        "reason": str(judged.rejected),
        **said,
        "text": judged.inference.text,
    }
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def features(source: Source, own: Features | None = None) -> Features:
    """Return the columns of a file, followed by the provenance columns.

    Args:
        source: The source of the rows.
        own: Columns that replace the source's, except those that say which file of a folder a row comes from.
    """
    from_files = {c: source.rows.features[c] for c in _origin_columns(source)}
    return Features({**(own or with_decoding(source.rows.features, True)), **from_files, **PROVENANCE})
