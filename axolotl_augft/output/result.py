"""Sources and judged inferences -> Parquet files and the manifest, in source order.

The result depends only on documents, settings and stored answers, so it is byte-identical in whatever order the answers
arrived. Files are written into a folder with a temporary name and synced; then the folder is renamed to the digest of
its content.
"""

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson

from axolotl_augft.config.recipe import HELD_OUT, Recipe
from axolotl_augft.errors import NothingAccepted
from axolotl_augft.files.durable import sync, write_error, write_json
from axolotl_augft.formats.content import Augmentation
from axolotl_augft.judging.rules import Judged, Reason
from axolotl_augft.output.card import CARD, card
from axolotl_augft.output.diversity import DiversityCount
from axolotl_augft.output.manifest import (
    MANIFEST,
    Counts,
    Manifest,
    WrittenEntry,
    WrittenFile,
    result_folder,
)
from axolotl_augft.output.row_file import (
    MESSAGES,
    SEGMENTS,
    RowFile,
    features,
    messages,
    origin,
    provenance,
    rejected_line,
    source_provenance,
)
from axolotl_augft.output.student import Student
from axolotl_augft.sources.source import Source, text_of
from axolotl_augft.text.directives import without_directives
from axolotl_augft.text.sentences import cumulative_rows, split_sentences
from axolotl_augft.verifying.coverage import CoverageCounter, sentence_of
from axolotl_augft.verifying.records import VerificationRecord

REJECTED = "rejected.jsonl"


@dataclass(frozen=True)
class RequestCounts:
    """The manifest's counts of the stage's input and of its requests.

    Attributes:
        documents: Documents that were augmented.
        requests: Distinct requests.
        unanswered: Requests without an answer after all tries.
        problems: Source rows that could not be augmented, by what became of them.
        skipped_files: Files of `augft.documents` that were left out.
    """

    documents: int
    requests: int
    unanswered: int
    problems: dict[str, int]
    skipped_files: int


def write_result(
    recipe: Recipe,
    sources: list[Source],
    judged: Iterable[Judged],
    student: Student,
    teacher_id: str,
    requests: RequestCounts,
    verification: VerificationRecord | None = None,
) -> Manifest:
    """Write the files of a result, and return its manifest.

    Args:
        recipe: The recipe.
        sources: The sources, in the order of their entries.
        judged: The judged inferences, in document order.
        student: The student model, for counting tokens and for its special tokens.
        teacher_id: Name of the teacher model in request keys.
        requests: Counts for the manifest.
        verification: How the inferences were verified, None if no model was asked.

    Raises:
        OutputError: The folder cannot be written.
        NothingAccepted: The recipe asks for augmentations, but no statement was accepted.
    """
    folder = recipe.output_dir / f".writing-{os.getpid()}"
    try:
        for left_behind in recipe.output_dir.glob(".writing-*"):
            shutil.rmtree(left_behind, ignore_errors=True)
        folder.mkdir(parents=True)
        writer = _ResultWriter(recipe, student, folder)
        entries = writer.write(sources, judged)
        counts = writer.counts(requests)
        if recipe.augft.augment and not counts.accepted:
            raise NothingAccepted(
                f"no statement was accepted, so there is nothing to add ({_reasons(counts)}); "
                "see 'no statement was accepted' in docs/troubleshooting.md"
            )
        coverage, diversity = writer.coverage.coverage(), writer.diversity.counted
        exact = student.tokens.exact
        manifest = Manifest("", teacher_id, entries, counts, coverage, diversity, exact, verification)
        (folder / CARD).write_text(card(recipe, manifest), encoding="utf-8")
        manifest = replace(manifest, fingerprint=_fingerprint(folder, manifest))
        write_json(folder / MANIFEST, manifest.as_json())
        _publish(folder, result_folder(recipe, manifest.fingerprint))
    except OSError as error:
        raise write_error(Path(error.filename or folder), error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return manifest


def _reasons(counts: Counts) -> str:
    none = "the teacher wrote none" if counts.requests else "no sentence could be turned, and no teacher was asked"
    return ", ".join(f"{reason} {n}" for reason, n in counts.rejected.items()) or none


def _fingerprint(folder: Path, manifest: Manifest) -> str:
    """Return a digest of the files and of what the manifest says about them."""
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


class _ResultWriter:
    def __init__(self, recipe: Recipe, student: Student, folder: Path) -> None:
        self._recipe = recipe
        self._student = student
        self._folder = folder
        self._accepted: Counter[str] = Counter()
        self._rejected: Counter[str] = Counter()
        self._too_long: Counter[str] = Counter()
        self._over_the_cap = 0
        self.coverage = CoverageCounter()
        self.diversity = DiversityCount()

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

    def counts(self, requests: RequestCounts) -> Counts:
        order = {str(reason): i for i, reason in enumerate(Reason)}
        return Counts(
            documents=requests.documents,
            requests=requests.requests,
            accepted=dict(sorted(self._accepted.items())),
            rejected=dict(sorted(self._rejected.items(), key=lambda item: order[item[0]])),
            unanswered=requests.unanswered,
            over_max_augmented=self._over_the_cap,
            problems=requests.problems,
            too_long=dict(sorted(self._too_long.items())),
            skipped_files=requests.skipped_files,
        )

    def _entry(self, source: Source, judged: Iterator[Judged], rejected: Any) -> WrittenEntry:
        segments = self._recipe.augft.sentence_splitting == "cumulative" and source.is_text
        augmented, questions = self._augmented(source, judged, rejected, segments) if source.format else (None, None)
        original, original_file, rows, tokens = self._original(source, segments)
        held_out = self._plain_rows(source, source.held_out, "held_out")
        return WrittenEntry(
            source.path,
            original,
            rows,
            tokens,
            original_file,
            augmented,
            questions,
            held_out,
            len(source.twins),
            segments,
            len(source.beyond_share),
        )

    def _augmented(
        self, source: Source, judged: Iterator[Judged], rejected: Any, segments: bool
    ) -> tuple[WrittenFile | None, WrittenFile | None]:
        """Write the augmentations of a source: rows with its columns, and chat rows about its plain text."""
        path = self._folder / f"{source.entry}-augmented.parquet"
        chats = self._folder / f"{source.entry}-questions.parquet"
        with (
            RowFile(path, features(source, SEGMENTS if segments else None), self._student) as file,
            RowFile(chats, features(source, MESSAGES), self._student) as questions,
        ):
            for _, of_document in groupby(judged, key=lambda j: j.task.target.row):
                all_of_it = list(of_document)
                kept = [j for j in all_of_it if j.rejected is None]
                chosen = choose_statements(kept, self._recipe.augft.max_augmented_per_original, self._recipe.seed)
                self._over_the_cap += len(kept) - len(chosen)
                self.coverage.add(all_of_it, chosen)
                for j in chosen:
                    self.diversity.add(j.inference.full_text)
                    self._accepted[f"{j.task.strategy}/{j.inference.kind}"] += 1
                    self._count_length(f"{j.task.strategy}/{j.inference.kind}", j.inference.full_text)
                    if _is_chat(source, j):
                        row = {**messages(j.inference), **origin(source, j.task.target.row), **provenance(source, j)}
                        questions.add(row, j.inference.full_text)
                    else:
                        new = _augmentation(source, j)
                        self._add(file, source, j.task.target.row, new, segments, provenance(source, j))
                for j in all_of_it:
                    if j.rejected is not None:
                        self._rejected[str(j.rejected)] += 1
                        rejected.write(rejected_line(source, j))
        return file.written, questions.written

    def _original(self, source: Source, segments: bool) -> tuple[Any, WrittenFile | None, int, int]:
        """Write the source rows anew if that is necessary.

        Returns:
            What becomes of them ("kept", "rewritten" or "dropped"), their file if they are rewritten, and their number
            of rows and tokens.
        """
        kept_rows = source.training_rows
        splitting = self._recipe.augft.sentence_splitting != "none" and source.is_text
        tokens = sum(self._count_length("original", text_of(content)) for _, content in source.training_contents())
        if source.format and not self._recipe.augft.include_original:
            return "dropped", None, len(kept_rows), tokens
        # The file of converted documents keeps its path when the documents change, and axolotl, whose hash looks at
        # paths only, would reuse the tokens of the old ones.
        rewriting = splitting or self._has_directives(source)
        if not rewriting and len(kept_rows) == len(source.rows) and source.conversion is None:
            return "kept", None, len(kept_rows), tokens
        if not rewriting:
            return "rewritten", self._plain_rows(source, kept_rows, "original"), len(kept_rows), tokens
        path = self._folder / f"{source.entry}-original.parquet"
        with RowFile(path, features(source, SEGMENTS if segments else None), self._student) as file:
            for i in kept_rows:
                if text := self._trained_on(source.text(i)):
                    self._add(
                        file, source, i, Augmentation(text), segments, source_provenance(source, i, "original", text)
                    )
        return "rewritten", file.written, len(kept_rows), tokens

    def _has_directives(self, source: Source) -> bool:
        """Whether passages of a source's plain text are to be left out (`instructions: drop`)."""
        drops = self._recipe.augft.instructions == "drop" and source.is_text
        return drops and any((text := source.text(i)) != self._trained_on(text) for i in source.training_rows)

    def _trained_on(self, text: str) -> str:
        """Return a source row's text as it is trained on."""
        if self._recipe.augft.instructions == "keep":
            return text
        return without_directives(text, self._recipe.augft.language)

    def _plain_rows(self, source: Source, rows: Iterable[int], name: str) -> WrittenFile | None:
        path = self._folder / f"{source.entry}{HELD_OUT if name == 'held_out' else f'-{name}.parquet'}"
        with RowFile(path, features(source), self._student) as file:
            for i in rows:
                row, text = source.reader[i], source.text(i)
                file.add({**row, **source_provenance(source, i, name, text)}, text)
        return file.written

    def _fits(self, text: str) -> bool:
        return self._student.tokens.count(text) <= self._recipe.training.sequence_len

    def _count_length(self, kind: str, text: str) -> int:
        """Return the tokens of a row's text, and count the row as too long if they exceed `sequence_len`."""
        tokens = self._student.tokens.count(text)
        self._too_long[kind] += tokens > self._recipe.training.sequence_len
        return tokens

    def _add(
        self,
        file: RowFile,
        source: Source,
        row: int,
        augmentation: Augmentation,
        segments: bool,
        provenance: Mapping[str, Any],
    ) -> None:
        """Write an augmentation as one row, or, with sentence splitting, as one row per sentence."""
        assert source.format is not None
        if self._recipe.augft.sentence_splitting == "none" or not source.is_text:
            file.add({**source.format.row(source.reader[row], augmentation), **provenance}, _text_of(augmentation))
            return
        language = self._recipe.augft.language
        sentences = [augmentation.text] if augmentation.is_whole else split_sentences(augmentation.text, language)
        if segments:
            for parts in cumulative_rows(sentences, self._student.bos, self._student.eos, self._fits):
                value = [{"label": p.label, "text": p.text} for p in parts]
                file.add({"segments": value, **origin(source, row), **provenance}, "".join(p.text for p in parts))
        else:
            for i, sentence in enumerate(sentences):
                position = {"augft_sentence": i} if provenance["augft_strategy"] == "original" else {}
                file.add(
                    {**source.format.row(source.reader[row], Augmentation(sentence)), **provenance, **position},
                    sentence,
                )


def _is_chat(source: Source, judged: Judged) -> bool:
    """Whether an inference becomes a chat row about plain text."""
    return source.is_text and judged.inference.question is not None and judged.task.question_form is None


def _augmentation(source: Source, judged: Judged) -> Augmentation:
    inference, form = judged.inference, judged.task.question_form
    if source.is_text and form is not None and inference.question is not None:
        return Augmentation(form.format(question=inference.question, answer=inference.text), is_whole=True)
    return Augmentation(inference.text, inference.question, inference.keeps_answer, not judged.task.is_asked)


def _text_of(augmentation: Augmentation) -> str:
    return augmentation.text if augmentation.question is None else f"{augmentation.question}\n{augmentation.text}"


def choose_statements(kept: Sequence[Judged], most: int | None, seed: int) -> list[Judged]:
    """Choose at most `most` of the accepted statements of one source row, in their order.

    The strategies take turns, so that neither crowds out the other. Within a strategy, so do its kinds of statements
    about each sentence, each beginning with the statement that is most probably true. Without probabilities a digest
    of seed and text decides, so that the choice is the same in every run.

    Args:
        kept: The accepted statements.
        most: How many to keep; None for all.
        seed: The recipe's seed.
    """
    if most is None or len(kept) <= most:
        return list(kept)
    best_first = sorted(kept, key=lambda j: (-(j.probability or 0), _drawn(seed, j.inference.full_text)))
    by_strategy: dict[str, list[Judged]] = {}
    for _, judged in sorted(_in_turns(best_first), key=lambda turn: turn[0]):
        by_strategy.setdefault(judged.task.strategy, []).append(judged)
    turns = sorted((turn, name) for name, group in by_strategy.items() for turn in range(len(group)))
    chosen = {id(by_strategy[name][turn]) for turn, name in turns[:most]}
    return [j for j in kept if id(j) in chosen]


def _in_turns(judged: Iterable[Judged]) -> Iterator[tuple[int, Judged]]:
    """Number the statements of each kind about each sentence, from 0."""
    seen: Counter[tuple[str, str, int | None]] = Counter()
    for j in judged:
        cell = (j.task.strategy, j.inference.kind, sentence_of(j))
        yield seen[cell], j
        seen[cell] += 1


def _drawn(seed: int, text: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{text}".encode()).digest()
