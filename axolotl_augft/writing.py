"""Sources and judged inferences -> Parquet files and the manifest, in source order.

The result depends on documents, settings and stored answers only, so it is byte-identical however the answers came about. Files are
written into a folder with a temporary name, synced, and the folder is renamed to the digest of its content.
"""

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson
from datasets import Features, List, Value
from datasets.arrow_writer import ParquetWriter

from axolotl_augft.documents import document_id
from axolotl_augft.errors import OutputError
from axolotl_augft.files import cannot_write, sync, write_json
from axolotl_augft.judging import Judged, Reason
from axolotl_augft.manifest import MANIFEST, Counts, Manifest, WrittenEntry, WrittenFile, result_folder
from axolotl_augft.mixing import cap
from axolotl_augft.recipe import HELD_OUT, Recipe
from axolotl_augft.sources import Source
from axolotl_augft.splitting import cumulative_rows, split_sentences
from axolotl_augft.student import Student

REJECTED = "rejected.jsonl"
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
_SEGMENTS = Features({"segments": List({"label": Value("bool"), "text": Value("string")})})


@dataclass(frozen=True)
class Asked:
    """What the manifest says about requests: how many there were, and how many stayed without an answer."""

    documents: int
    requests: int
    unanswered: int
    skipped_rows: int


def write_result(
    recipe: Recipe, sources: list[Source], judged: Iterable[Judged], student: Student, teacher_id: str, asked: Asked
) -> Manifest:
    """Writes everything and returns the manifest.

    Raises:
        OutputError: The folder cannot be written, or not a single statement was accepted.
    """
    folder = recipe.output_dir / f".writing-{os.getpid()}"
    try:
        for left_behind in recipe.output_dir.glob(".writing-*"):
            shutil.rmtree(left_behind, ignore_errors=True)
        folder.mkdir(parents=True)
        writer = _ResultWriter(recipe, student, folder)
        entries = writer.write(sources, judged)
        counts = writer.counts(asked)
        if recipe.augft.augment and not counts.accepted:
            raise OutputError(
                f"no statement was accepted, so there is nothing to add ({_reasons(counts.rejected)}); see README, 'Nothing came out'"
            )
        manifest = Manifest("", teacher_id, entries, counts, student.tokens.exact)
        manifest = replace(manifest, fingerprint=_fingerprint(folder, manifest))
        write_json(folder / MANIFEST, manifest.as_json())
        _publish(folder, result_folder(recipe, manifest.fingerprint))
    except OSError as error:
        raise cannot_write(Path(error.filename or folder), error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return manifest


def _reasons(rejected: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {n}" for reason, n in rejected.items()) or "the teacher wrote none"


def _fingerprint(folder: Path, manifest: Manifest) -> str:
    """Digest of the files and of what the manifest says about them."""
    digest = hashlib.sha256(orjson.dumps(manifest.as_json(), option=orjson.OPT_SORT_KEYS))
    for file in sorted(folder.iterdir()):
        with file.open("rb") as stream:
            digest.update(f"{file.name}\0{hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


def _publish(folder: Path, target: Path) -> None:
    for file in folder.iterdir():
        sync(file)
    if {f.name for f in folder.iterdir()} != ({f.name for f in target.iterdir()} if target.exists() else set()):
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)
        sync(target.parent)


class _RowFile:
    """A Parquet file of rows that counts its text's tokens. No file is left where no row was written."""

    def __init__(self, path: Path, features: Features, student: Student) -> None:
        self._path = path
        self._student = student
        self._writer = ParquetWriter(path=str(path), features=features)
        self._rows = 0
        self._tokens = 0

    def __enter__(self) -> "_RowFile":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._rows:
            self._writer.finalize()
        self._writer.close()
        if not self._rows:
            self._path.unlink(missing_ok=True)

    def add(self, row: Mapping[str, Any], text: str) -> None:
        self._writer.write(dict(row))
        self._rows += 1
        self._tokens += self._student.tokens.count(text)

    @property
    def written(self) -> WrittenFile | None:
        return WrittenFile(self._path.name, self._rows, self._tokens) if self._rows else None


class _ResultWriter:
    def __init__(self, recipe: Recipe, student: Student, folder: Path) -> None:
        self._recipe = recipe
        self._student = student
        self._folder = folder
        self._accepted: Counter[str] = Counter()
        self._rejected: Counter[str] = Counter()
        self._over_the_cap = 0

    def write(self, sources: list[Source], judged: Iterable[Judged]) -> tuple[WrittenEntry, ...]:
        by_entry = groupby(judged, key=lambda j: j.task.target.entry)
        pending = next(by_entry, None)
        written = []
        with (self._folder / REJECTED).open("wb") as rejected:
            for source in sources:
                own: Iterator[Judged] = iter(())
                if pending is not None and pending[0] == source.entry:
                    own = pending[1]
                written.append(self._entry(source, own, rejected))
                if pending is not None and pending[0] == source.entry:
                    pending = next(by_entry, None)
        return tuple(written)

    def counts(self, asked: Asked) -> Counts:
        order = {str(reason): i for i, reason in enumerate(Reason)}
        return Counts(
            documents=asked.documents,
            requests=asked.requests,
            accepted=dict(sorted(self._accepted.items())),
            rejected=dict(sorted(self._rejected.items(), key=lambda item: order[item[0]])),
            unanswered=asked.unanswered,
            over_the_cap=self._over_the_cap,
            skipped_rows=asked.skipped_rows,
        )

    def _entry(self, source: Source, judged: Iterator[Judged], rejected: Any) -> WrittenEntry:
        segments = self._recipe.augft.sentence_splitting == "cumulative" and source.format is not None
        augmented = self._augmented(source, judged, rejected, segments) if source.format else None
        original, original_file, rows, tokens = self._original(source, segments)
        held_out = self._plain_rows(source, source.held_out, "held_out")
        return WrittenEntry(
            source.path, original, rows, tokens, original_file, augmented, held_out, len(source.twins), segments
        )  # fmt: skip

    def _features(self, source: Source, segments: bool) -> Features:
        return Features({**(_SEGMENTS if segments else source.rows.features), **PROVENANCE})

    def _augmented(self, source: Source, judged: Iterator[Judged], rejected: Any, segments: bool) -> WrittenFile | None:
        path = self._folder / f"{source.entry}-augmented.parquet"
        with _RowFile(path, self._features(source, segments), self._student) as file:
            for _, of_document in groupby(judged, key=lambda j: j.task.target.row):
                all_of_it = list(of_document)
                kept = [j for j in all_of_it if j.rejected is None]
                chosen = cap(kept, self._recipe.augft.max_augmented_per_original, self._recipe.seed)
                self._over_the_cap += len(kept) - len(chosen)
                for j in chosen:
                    self._accepted[f"{j.task.strategy}/{j.inference.kind}"] += 1
                    self._add(file, source, j.task.target.row, j.inference.text, segments, _provenance(source, j))
                for j in all_of_it:
                    if j.rejected is not None:
                        self._rejected[str(j.rejected)] += 1
                        rejected.write(_rejected_line(source, j))
        return file.written

    def _original(self, source: Source, segments: bool) -> tuple[Any, WrittenFile | None, int, int]:
        """What becomes of the source rows: the action, the file, and the rows and tokens before augmentation."""
        kept_rows = source.training_rows
        splitting = self._recipe.augft.sentence_splitting != "none" and source.format is not None
        tokens = sum(self._student.tokens.count(t) for _, t in source.training_texts())
        if source.format and not self._recipe.augft.include_original:
            return "dropped", None, len(kept_rows), tokens
        if not splitting and len(kept_rows) == len(source.rows):
            return "kept", None, len(kept_rows), tokens
        if not splitting:
            return "rewritten", self._plain_rows(source, kept_rows, "original"), len(kept_rows), tokens
        path = self._folder / f"{source.entry}-original.parquet"
        with _RowFile(path, self._features(source, segments), self._student) as file:
            for i in kept_rows:
                text = source.format.text(source.reader[i]) if source.format else None
                if text:
                    self._add(file, source, i, text, segments, _source_provenance(source, i, "original", text))
        return "rewritten", file.written, len(kept_rows), tokens

    def _plain_rows(self, source: Source, rows: Iterable[int], name: str) -> WrittenFile | None:
        path = self._folder / f"{source.entry}{HELD_OUT if name == 'held_out' else f'-{name}.parquet'}"
        with _RowFile(path, self._features(source, segments=False), self._student) as file:
            for i in rows:
                row = source.reader[i]
                text = (source.format.text(row) if source.format else None) or ""
                file.add({**row, **_source_provenance(source, i, name, text)}, text)
        return file.written

    def _fits(self, text: str) -> bool:
        return self._student.tokens.count(text) <= self._recipe.training.sequence_len

    def _add(self, file: _RowFile, source: Source, row: int, text: str, segments: bool, provenance: Mapping[str, Any]) -> None:
        """Writes a text as one row, or as one row a sentence."""
        assert source.format is not None
        mode = self._recipe.augft.sentence_splitting
        if mode == "none":
            file.add({**source.format.row(source.reader[row], text), **provenance}, text)
            return
        sentences = split_sentences(text, self._recipe.augft.language)
        if segments:
            for parts in cumulative_rows(sentences, self._student.bos, self._student.eos, self._fits):
                value = [{"label": p.label, "text": p.text} for p in parts]
                file.add({"segments": value, **provenance}, "".join(p.text for p in parts))
        else:
            for i, sentence in enumerate(sentences):
                where = {"augft_sentence": i} if provenance["augft_strategy"] == "original" else {}
                file.add({**source.format.row(source.reader[row], sentence), **provenance, **where}, sentence)


def _provenance(source: Source, judged: Judged) -> dict[str, Any]:
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


def _source_provenance(source: Source, row: int, strategy: str, text: str) -> dict[str, Any]:
    nothing = dict.fromkeys(PROVENANCE)
    own = {"augft_strategy": strategy, "augft_source": source.path, "augft_row": row, "augft_document": document_id(text)}
    return {**nothing, **own}


def _rejected_line(source: Source, judged: Judged) -> bytes:
    line = {"entry": source.entry, **_provenance(source, judged), "reason": str(judged.rejected), "text": judged.inference.text}
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
