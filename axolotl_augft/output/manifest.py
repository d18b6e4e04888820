"""Counts and files of a finished run -> its manifest, and the record by which a later launch finds the result.

`<output_dir>/<fingerprint>/manifest.json` describes the content of the folder and depends on nothing else.
`<output_dir>/recipes/<key>.json` says which folder belongs to a recipe, and in what state its inputs were.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.files.durable import read_json, write_json
from axolotl_augft.files.fingerprints import FileStamp
from axolotl_augft.probing.record import LeftOut, ProbeRecord
from axolotl_augft.store.run_record import RunRecord
from axolotl_augft.verifying.records import Calibration, ContradictionRecord, Coverage, Diversity, VerificationRecord

SCHEMA = 3
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Load:
    """The training rows of one epoch.

    Attributes:
        rows: Number of rows.
        tokens: Tokens of their text.
        trained: Tokens that the student is trained on: of a question with its answer, those of the answer.
    """

    rows: int = 0
    tokens: int = 0
    trained: int = 0

    def __add__(self, other: "Load") -> "Load":
        return Load(self.rows + other.rows, self.tokens + other.tokens, self.trained + other.trained)

    def times(self, n: float) -> "Load":
        """Return the load of `n` copies of these rows."""
        return Load(round(self.rows * n), round(self.tokens * n), round(self.trained * n))


@dataclass(frozen=True)
class WrittenFile:
    """A Parquet file of training rows.

    Attributes:
        name: File name in the result's folder.
        rows: Number of rows.
        tokens: Tokens of their text: counted by the student's tokenizer if `Manifest.exact_tokens`, else estimated.
        trained: Those of them that the student is trained on, with the end of each text.
        repeats: How often the file is trained on per epoch by `augft.mix` or `augft.replay`.
        part: A file with some of the rows, which are trained on once more.
    """

    name: str
    rows: int
    tokens: int
    trained: int = 0
    repeats: int = 1
    part: "WrittenFile | None" = None

    @property
    def once(self) -> Load:
        """The rows, each once."""
        return Load(self.rows, self.tokens, self.trained)

    @property
    def load(self) -> Load:
        """The rows of one epoch."""
        return self.once.times(self.repeats) + (self.part.once if self.part else Load())


@dataclass(frozen=True)
class WrittenReplay:
    """The rows of `augft.replay` that are trained on.

    Attributes:
        path: Its path, as the recipe has it.
        layout: The keys that say how its rows are laid out, as in a `datasets` entry.
        file: The rows.
    """

    path: str
    layout: dict[str, Any]
    file: WrittenFile


@dataclass(frozen=True)
class WrittenEntry:
    """What became of one `datasets` entry.

    Attributes:
        path: Path of the entry.
        original: Whether the source rows are kept as they are, rewritten (held-out rows removed, sentences split,
            documents converted), or dropped.
        original_rows: Number of source rows for training, without held-out rows.
        original_tokens: Tokens of their text.
        original_file: The rewritten source rows, None unless `original` is "rewritten".
        augmented: Augmentations with the source's columns, None if there are none.
        questions: Chat rows with questions and answers about plain text, None if there are none.
        held_out: Held-out rows, None if there are none.
        twins: Number of training rows left out because they equal a held-out or test row.
        segments: The files of augmentations and source rows hold `input_output` segments (cumulative splitting).
        beyond_share: Number of rows that the entry's `weight` leaves out.
        original_trained: Tokens of the source rows that the student is trained on.
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
    original_trained: int = 0

    @property
    def files(self) -> Iterator[WrittenFile]:
        """Its files, those of rows that are trained on once more included."""
        for file in filter(None, (self.original_file, self.augmented, self.questions, self.held_out)):
            yield file
            if file.part:
                yield file.part


@dataclass(frozen=True)
class Counts:
    """What was asked, and what came of it.

    Attributes:
        documents: Documents that were augmented.
        requests: Distinct requests.
        accepted: Accepted statements that became rows, by "strategy/kind".
        rejected: Rejected statements, by reason.
        unanswered: Requests without an answer after all tries.
        over_max_augmented: Accepted statements left out because of `max_augmented_per_original`.
        problems: Source rows that could not be augmented, by what became of them.
        too_long: Texts of more tokens than `sequence_len`, by "strategy/kind" or "original".
        skipped_files: Files of `augft.documents` that were left out.
        brought_in: Accepted statements that a person brought in (`augft.marks`).
        unusable: Questions and proposals that the teacher was asked for before its texts (`study`), but did not write
            so that they can be used, by what they are.
    """

    documents: int
    requests: int
    accepted: dict[str, int]
    rejected: dict[str, int]
    unanswered: int
    over_max_augmented: int
    problems: dict[str, int]
    too_long: dict[str, int]
    skipped_files: int = 0
    brought_in: int = 0
    unusable: dict[str, int] = field(default_factory=dict)

    @property
    def by_hand(self) -> str:
        """What marks did, in words; "" if nothing."""
        parts = {"taken out": self.rejected.get("marked", 0), "brought in": self.brought_in}
        return ", ".join(f"{n:,} {what}" for what, n in parts.items() if n)


@dataclass(frozen=True)
class Manifest:
    """A finished result, a pure function of the documents, the settings and the stored answers.

    Attributes:
        fingerprint: Digest of the content, and the name of its folder.
        teacher_id: Name of the teacher model in request keys.
        entries: What became of each `datasets` entry.
        counts: What was asked, and what came of it.
        coverage: How much of the sources the accepted statements are about.
        diversity: How different the accepted statements are from each other.
        exact_tokens: Tokens were counted by the student's tokenizer, not estimated.
        verification: How statements were verified; None if no model was asked.
        replay: General rows that are trained on too; None without `augft.replay`.
        probe: What the student was found to know; None without `augft.probe`.
        schema: Version of this format.
    """

    fingerprint: str
    teacher_id: str
    entries: tuple[WrittenEntry, ...]
    counts: Counts
    coverage: Coverage
    diversity: Diversity
    exact_tokens: bool
    verification: VerificationRecord | None = None
    replay: WrittenReplay | None = None
    probe: ProbeRecord | None = None
    schema: int = SCHEMA

    @classmethod
    def load(cls, folder: Path) -> "Manifest | None":
        """Load the manifest of a folder; None if the result is unfinished or has another schema version."""
        data = read_json(folder / MANIFEST)
        if not isinstance(data, dict) or data.get("schema") != SCHEMA:
            return None
        entries = tuple(WrittenEntry(**{k: _file(v) for k, v in e.items()}) for e in data.pop("entries"))
        verification, replay = _verification(data.pop("verification")), _replay(data.pop("replay", None))
        probe = _probe(data.pop("probe", None))
        read = {"counts": Counts, "coverage": Coverage, "diversity": Diversity}
        parts = {name: kind(**data.pop(name)) for name, kind in read.items()}
        return cls(entries=entries, verification=verification, replay=replay, probe=probe, **parts, **data)

    def as_json(self) -> dict[str, Any]:
        """Return the manifest as plain values."""
        return asdict(self)


def _verification(value: Mapping[str, Any] | None) -> VerificationRecord | None:
    if value is None:
        return None
    calibrations = tuple(Calibration(**calibration) for calibration in value["calibrations"])
    contradictions = value.get("contradictions")
    return VerificationRecord(
        value["by"], value["method"], calibrations, ContradictionRecord(**contradictions) if contradictions else None
    )


def _replay(value: Mapping[str, Any] | None) -> WrittenReplay | None:
    return None if value is None else WrittenReplay(value["path"], value["layout"], _file(value["file"]))


def _probe(value: Mapping[str, Any] | None) -> ProbeRecord | None:
    return None if value is None else ProbeRecord(**{**value, "left_out": LeftOut(**value["left_out"])})


def _file(value: Any) -> Any:
    return WrittenFile(**{k: _file(v) for k, v in value.items()}) if isinstance(value, dict) else value


@dataclass(frozen=True)
class ResultRecord:
    """The result that belongs to a recipe.

    Attributes:
        fingerprint: Name of the result's folder.
        inputs: State of the local input files when the result was made.
        remote_digest: Content digest of the data sets that are not local, None if there are none.
        run: What the run that made the result asked.
    """

    fingerprint: str
    inputs: tuple[FileStamp, ...]
    remote_digest: str | None
    run: RunRecord = RunRecord()


def record_path(recipe: Recipe) -> Path:
    """Return the path of a recipe's record."""
    return recipe.output_dir / "recipes" / f"{recipe.key}.json"


def save_record(recipe: Recipe, record: ResultRecord) -> None:
    """Write a recipe's record.

    Raises:
        OutputError: The file cannot be written.
    """
    write_json(record_path(recipe), {"schema": SCHEMA, **asdict(record)})


def load_record(recipe: Recipe) -> ResultRecord | None:
    """Load a recipe's record; None if there is none or it has another schema version."""
    data = read_json(record_path(recipe))
    if not isinstance(data, Mapping) or data.get("schema") != SCHEMA:
        return None
    inputs = tuple(FileStamp(**stamp) for stamp in data["inputs"])
    return ResultRecord(data["fingerprint"], inputs, data["remote_digest"], RunRecord.from_json(data["run"]))


def result_folder(recipe: Recipe, fingerprint: str) -> Path:
    """Return the folder of a result."""
    return recipe.output_dir / fingerprint


def load_result(recipe: Recipe) -> Manifest | None:
    """Load the last finished result of a recipe, whether or not its inputs have changed since; None without one."""
    record = load_record(recipe)
    return Manifest.load(result_folder(recipe, record.fingerprint)) if record else None
