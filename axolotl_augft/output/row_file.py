"""One Parquet file of rows: the source's columns, and columns named `augft_…` that say where each row comes from and how it came about."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson
from datasets import Features, List, Value
from datasets.arrow_writer import ParquetWriter

from axolotl_augft.judging.read_statements import Inference
from axolotl_augft.judging.rules import Judged
from axolotl_augft.output.manifest import WrittenFile
from axolotl_augft.output.student import Student
from axolotl_augft.sources.documents import document_id
from axolotl_augft.sources.source import PROVENANCE_PREFIX, Source, with_decoding

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
    }
)
MESSAGES = Features({"messages": List({"role": Value("string"), "content": Value("string")})})
SEGMENTS = Features({"segments": List({"label": Value("bool"), "text": Value("string")})})


class RowFile:
    """A Parquet file of rows that counts its text's tokens. No file is left where no row was written."""

    def __init__(self, path: Path, features: Features, student: Student) -> None:
        self._path = path
        self._student = student
        self._writer = ParquetWriter(path=str(path), features=features)
        self._rows = 0
        self._tokens = 0

    def __enter__(self) -> "RowFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._rows:
            self._writer.finalize()
        self._writer.close()
        if not self._rows:
            self._path.unlink(missing_ok=True)

    def add(self, row: Mapping[str, Any], text: str) -> None:
        """Writes a row that says `text`."""
        self._writer.write(dict(row))
        self._rows += 1
        self._tokens += self._student.tokens.count(text)

    @property
    def written(self) -> WrittenFile | None:
        """What the manifest says of the file."""
        return WrittenFile(self._path.name, self._rows, self._tokens) if self._rows else None


def messages(inference: Inference) -> dict[str, Any]:
    """A question and its answer as the messages of a chat."""
    turns = (("user", inference.question), ("assistant", inference.text))
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


def _origin_columns(source: Source) -> list[str]:
    """The columns that say which file of `augft.documents` a row comes from."""
    return [c for c in source.rows.column_names if c.startswith(PROVENANCE_PREFIX)]


def origin(source: Source, row: int) -> dict[str, Any]:
    """Which file of `augft.documents` a row comes from; nothing for other sources."""
    columns = _origin_columns(source)
    return {c: source.reader[row][c] for c in columns} if columns else {}


def provenance(source: Source, judged: Judged) -> dict[str, Any]:
    """How an augmentation came about."""
    task, inference = judged.task, judged.inference
    return {
        "augft_strategy": task.strategy,
        "augft_kind": inference.kind,
        "augft_source": source.path,
        "augft_row": task.target.row,
        "augft_sentence": inference.sentence,
        "augft_document": task.target.id,
        "augft_request": task.request.key.hex(),
        "augft_sample": task.request.sample,
    }


def source_provenance(source: Source, row: int, strategy: str, text: str) -> dict[str, Any]:
    """Which source row a row that is none of the teacher's comes from."""
    nothing = dict.fromkeys(PROVENANCE)
    own = {
        "augft_strategy": strategy,
        "augft_source": source.path,
        "augft_row": row,
        "augft_document": document_id(text),
    }
    return {**nothing, **own}


def rejected_line(source: Source, judged: Judged) -> bytes:
    """A rejected inference as a line of JSON."""
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
    """Columns of a file: the source's or, in their place, `own`; which file of a folder its rows come from; and how they came about."""
    from_files = {c: source.rows.features[c] for c in _origin_columns(source)}
    return Features({**(own or with_decoding(source.rows.features, True)), **from_files, **PROVENANCE})
