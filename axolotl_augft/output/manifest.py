"""What a finished run wrote: the manifest beside its files, and the record by which a later launch finds it again.

`<output_dir>/<fingerprint>/manifest.json` says what is in the folder; it depends on the content only.
`<output_dir>/recipes/<key>.json` says which folder belongs to a recipe and what its inputs looked like then.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.files.durable import read_json, write_json
from axolotl_augft.files.fingerprints import FileStamp
from axolotl_augft.store.run_record import RunRecord

SCHEMA = 2
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class WrittenFile:
    """A Parquet file of training rows. `tokens`: of its text, by the student's tokenizer if `Manifest.exact_tokens`."""

    name: str
    rows: int
    tokens: int


@dataclass(frozen=True)
class WrittenEntry:
    """What became of one `datasets` entry.

    `original`: kept as it is, rewritten (held-out rows removed, sentences split), or dropped. `segments`: the files
    hold `input_output` segments (cumulative splitting). `questions`: rows of questions and answers that were written
    about plain text. `beyond_share`: rows that the entry's `weight` leaves out.
    """

    path: str
    original: Literal["kept", "rewritten", "dropped"]
    original_rows: int
    original_tokens: int
    original_file: WrittenFile | None
    augmented: WrittenFile | None
    questions: WrittenFile | None
    held_out: WrittenFile | None
    twins: int
    segments: bool
    beyond_share: int = 0


@dataclass(frozen=True)
class Counts:
    """What was asked and what came of it.

    `accepted` and `rejected` count statements by strategy and kind, and by reason. `problems`: source rows that could
    not be augmented, by what became of them. `too_long`: rows of more tokens than `sequence_len`, by kind.
    """

    documents: int
    requests: int
    accepted: dict[str, int]
    rejected: dict[str, int]
    unanswered: int
    over_the_cap: int
    problems: dict[str, int]
    too_long: dict[str, int]
    skipped_files: int = 0


@dataclass(frozen=True)
class Manifest:
    """A finished result: a pure function of the documents, the settings and the stored answers."""

    fingerprint: str
    teacher_id: str
    entries: tuple[WrittenEntry, ...]
    counts: Counts
    exact_tokens: bool
    schema: int = SCHEMA

    @classmethod
    def load(cls, folder: Path) -> "Manifest | None":
        """The manifest of a folder, None if it is not finished or was written by another version."""
        data = read_json(folder / MANIFEST)
        if not isinstance(data, dict) or data.get("schema") != SCHEMA:
            return None
        entries = tuple(WrittenEntry(**{k: _file(v) for k, v in e.items()}) for e in data.pop("entries"))
        return cls(entries=entries, counts=Counts(**data.pop("counts")), **data)

    def as_json(self) -> dict[str, Any]:
        """The manifest as plain values."""
        return asdict(self)


def _file(value: Any) -> Any:
    return WrittenFile(**value) if isinstance(value, dict) else value


@dataclass(frozen=True)
class ResultRecord:
    """Which result belongs to a recipe: its folder, its inputs then, and what the run that made it asked."""

    fingerprint: str
    inputs: tuple[FileStamp, ...]
    remote_digest: str | None
    run: RunRecord = RunRecord()


def record_path(recipe: Recipe) -> Path:
    """Where the record of a recipe lies."""
    return recipe.output_dir / "recipes" / f"{recipe.key}.json"


def save_record(recipe: Recipe, record: ResultRecord) -> None:
    """Writes a recipe's record."""
    write_json(record_path(recipe), {"schema": SCHEMA, **asdict(record)})


def load_record(recipe: Recipe) -> ResultRecord | None:
    """A recipe's record, None if there is none."""
    data = read_json(record_path(recipe))
    if not isinstance(data, Mapping) or data.get("schema") != SCHEMA:
        return None
    inputs = tuple(FileStamp(**stamp) for stamp in data["inputs"])
    return ResultRecord(data["fingerprint"], inputs, data["remote_digest"], RunRecord.from_json(data["run"]))


def result_folder(recipe: Recipe, fingerprint: str) -> Path:
    """The folder of a result."""
    return recipe.output_dir / fingerprint


def load_result(recipe: Recipe) -> Manifest | None:
    """The last finished result of a recipe, whether or not its inputs have changed since."""
    record = load_record(recipe)
    return Manifest.load(result_folder(recipe, record.fingerprint)) if record else None
