"""A path of `augft.documents` -> a Parquet file of `completion` rows, remade only if a file has changed.

The metadata of the Parquet file record which files it was made from and which were left out, so that the rows and the
report on them cannot diverge.
"""

import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from axolotl_augft.conversion.blocks import Unusable
from axolotl_augft.conversion.child import Converters
from axolotl_augft.conversion.convert import CONVERTERS, require_libraries
from axolotl_augft.conversion.find import FileProblem, Found, find_documents
from axolotl_augft.conversion.sections import section_rows
from axolotl_augft.errors import SourceError
from axolotl_augft.files.durable import sync, write_error
from axolotl_augft.files.fingerprints import FileStamp, stamp_files
from axolotl_augft.steady import steadily

LOG = logging.getLogger("axolotl_augft")
# Increment it when a change of code makes other rows from the same file.
_VERSION = 3
_METADATA = b"augft"
_SHOWN = 3
_COLUMNS = pa.schema([(name, pa.string()) for name in ("text", "augft_title", "augft_section", "augft_file")])


@dataclass(frozen=True)
class Conversion:
    """The outcome of converting a path.

    Attributes:
        path: The path as the recipe names it.
        files: Number of files that became rows.
        problems: The files that were left out, and why.
        notes: Remarks on files that were converted.
        unknown: Number of files by other suffix.
    """

    path: str
    files: int
    problems: tuple[FileProblem, ...]
    notes: tuple[FileProblem, ...]
    unknown: Mapping[str, int]

    def lines(self) -> list[str]:
        """Return what to report, one line each: files left out, remarks, and other file types."""
        others = _listed(self.unknown)
        return [
            *(f"{self.path}: {problem}; the file is left out" for problem in self.problems),
            *(f"{self.path}: {note}" for note in self.notes),
            *([f"{self.path}: files of other types are left out ({others})"] if others else []),
        ]


@dataclass(frozen=True)
class _Made:
    """The metadata of a Parquet file: what it was made from, and what was left out."""

    version: int
    language: str
    stamps: tuple[FileStamp, ...]
    problems: tuple[FileProblem, ...]
    notes: tuple[FileProblem, ...]


def convert_path(
    path: str, target: Path, on_error: Literal["skip", "stop"], language: str, processes: int = 1
) -> Conversion:
    """Convert a file or folder to `target`, unless `target` is up to date.

    Args:
        path: The file or folder.
        target: The Parquet file.
        on_error: Whether to skip a file that cannot be used, or to stop the run.
        language: ISO 639 code, for sentence ends.
        processes: Number of files to convert at a time.

    Raises:
        SourceError: The path does not exist, none of its files can be used, or one cannot and `on_error` is `stop`.
        ConfigError: The libraries that read documents are not installed.
        OutputError: `target` cannot be written.
    """
    found = find_documents(path)
    made = _load(target)
    if made is None or not _is_current(made, found, language):
        require_libraries()
        made = _make(path, found, target, language, processes)
    problems = (*found.problems, *made.problems)
    usable = len(found.files) - len(made.problems)
    if not usable:
        raise SourceError(f"augft.documents: {path}: no file that can be used; {_why_none(problems, found.unknown)}")
    if problems and on_error == "stop":
        raise SourceError(
            f"augft.documents: {path}: {_some(problems)}; fix or remove them, or set augft.documents.on_error to skip"
        )
    return Conversion(path, usable, problems, made.notes, found.unknown)


def _is_current(made: _Made, found: Found, language: str) -> bool:
    return (
        (made.version, made.language) == (_VERSION, language)
        and [stamp.path for stamp in made.stamps] == [str(file) for file in sorted(found.files.values())]
        and all(stamp.is_current() for stamp in made.stamps)
    )


def _make(path: str, found: Found, target: Path, language: str, processes: int) -> _Made:
    stamps = tuple(stamp_files(found.files.values(), {}))
    if found.files:
        LOG.info("augft: %s: converting %d files", path, len(found.files))
    problems, notes = list[FileProblem](), list[FileProblem]()
    rows: list[dict[str, str]] = []
    with Converters(processes) as converters:
        outcomes = zip(found.files, converters.convert(found.files.values()), strict=True)
        for name, converted in steadily(outcomes, "converting", "files", len(found.files)):
            if isinstance(converted, Unusable):
                problems.append(FileProblem(name, str(converted)))
                continue
            if converted.note:
                notes.append(FileProblem(name, converted.note))
            rows += [
                {"text": row.text, "augft_title": row.title, "augft_section": row.section, "augft_file": name}
                for row in section_rows(converted, name, language)
            ]
    made = _Made(_VERSION, language, stamps, tuple(problems), tuple(notes))
    _write(rows, made, target)
    return made


def _write(rows: list[dict[str, str]], made: _Made, target: Path) -> None:
    schema = _COLUMNS.with_metadata({_METADATA: orjson.dumps(asdict(made))})
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), temporary)
        sync(temporary)
        temporary.rename(target)
        sync(target.parent)
    except OSError as error:
        raise write_error(target, error) from error


def _load(target: Path) -> _Made | None:
    try:
        metadata = pq.read_schema(target).metadata or {}
        made: dict[str, Any] = orjson.loads(metadata[_METADATA])
        return _Made(
            version=made["version"],
            language=made["language"],
            stamps=tuple(FileStamp(**stamp) for stamp in made["stamps"]),
            problems=tuple(FileProblem(**problem) for problem in made["problems"]),
            notes=tuple(FileProblem(**note) for note in made["notes"]),
        )
    except (OSError, pa.ArrowException, KeyError, TypeError, orjson.JSONDecodeError):
        return None


def _why_none(problems: tuple[FileProblem, ...], unknown: Mapping[str, int]) -> str:
    others = f"files of other types ({_listed(unknown)})" if unknown else ""
    reasons = "; ".join(filter(None, (_some(problems) if problems else "", others))) or "it is empty"
    return f"{reasons}. Supported types: {' '.join(CONVERTERS)}"


def _some(problems: tuple[FileProblem, ...]) -> str:
    more = f" (and {len(problems) - _SHOWN} more)" if len(problems) > _SHOWN else ""
    return ", ".join(map(str, problems[:_SHOWN])) + more


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{suffix} {n:,}" for suffix, n in counts.items())
