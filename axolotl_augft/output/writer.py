"""Sources and judged inferences -> the Parquet files of a result and the counts of its manifest, in source order."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from datasets import Features

from axolotl_augft.batched import AT_ONCE, batched
from axolotl_augft.config.recipe import HELD_OUT, Recipe
from axolotl_augft.formats.content import Augmentation, Text
from axolotl_augft.judging.rules import Judged, Reason
from axolotl_augft.output.augmented import MakeParts, Part, RowMaker, Tally, in_parts
from axolotl_augft.output.manifest import Counts, Load, WrittenEntry, WrittenFile
from axolotl_augft.output.row_file import MESSAGES, REJECTED, SEGMENTS, RowFile, RowSizes, features, source_provenance
from axolotl_augft.output.student import Student
from axolotl_augft.sources.source import Source, text_of
from axolotl_augft.text.directives import without_directives

_COUNTED_AT_ONCE = 32
"""Documents whose tokens are counted together; each may be long."""


@dataclass(frozen=True)
class RequestCounts:
    """The manifest's counts of the stage's input and of its requests.

    Attributes:
        documents: Documents that were augmented.
        requests: Distinct requests.
        unanswered: Requests without an answer after all tries.
        unusable: As in `Counts`.
        problems: Source rows that could not be augmented, by what became of them.
        skipped_files: Files of `augft.documents` that were left out.
    """

    documents: int
    requests: int
    unanswered: int
    unusable: dict[str, int]
    problems: dict[str, int]
    skipped_files: int


class ResultWriter:
    """Writes the files of a result into a folder, and counts what they hold.

    Attributes:
        tally: Counts the statements and their rows.
        sizes: Tokens of the rows of each file, for the mixture.

    Args:
        recipe: The recipe.
        student: The student model, for counting tokens and for its special tokens.
        folder: The folder.
        make_parts: Makes the rows of judged inferences; by default, this process does.
    """

    def __init__(self, recipe: Recipe, student: Student, folder: Path, make_parts: MakeParts | None = None) -> None:
        self._recipe = recipe
        self._student = student
        self._folder = folder
        self._rows = RowMaker(recipe, student)
        self._make_parts = make_parts
        self.tally = Tally()
        self.sizes: dict[str, RowSizes] = {}

    def write(self, sources: list[Source], judged: Iterable[Judged]) -> tuple[WrittenEntry, ...]:
        """Write all sources, each with its judged inferences, which come in document order."""
        parts = self._make_parts(judged) if self._make_parts else self._parts(sources, judged)
        by_entry = groupby(parts, key=lambda part: part.entry)
        pending = next(by_entry, None)
        written = []
        with (self._folder / REJECTED).open("wb") as rejected:
            for source in sources:
                own: Iterator[Part] = iter(())
                if pending is not None and pending[0] == source.entry:
                    own = pending[1]
                written.append(self._entry(source, own, rejected))
                if pending is not None and pending[0] == source.entry:
                    pending = next(by_entry, None)
        return tuple(written)

    def counts(self, requests: RequestCounts) -> Counts:
        """Return the counts of the manifest, once everything is written."""
        order = {str(reason): i for i, reason in enumerate(Reason)}
        tally = self.tally
        return Counts(
            documents=requests.documents,
            requests=requests.requests,
            accepted=dict(sorted(tally.accepted.items())),
            rejected=dict(sorted(tally.rejected.items(), key=lambda item: order[item[0]])),
            unanswered=requests.unanswered,
            over_max_augmented=tally.over_the_cap,
            problems=requests.problems,
            too_long=dict(sorted(tally.too_long.items())),
            skipped_files=requests.skipped_files,
            brought_in=tally.brought_in,
            unusable=requests.unusable,
        )

    def _parts(self, sources: list[Source], judged: Iterable[Judged]) -> Iterator[Part]:
        by_entry = {source.entry: source for source in sources}
        for some in in_parts(judged, AT_ONCE):
            yield self._rows.part(by_entry[some[0].task.target.entry], some)

    def _entry(self, source: Source, parts: Iterator[Part], rejected: Any) -> WrittenEntry:
        segments = self._rows.splits_cumulatively(source)
        augmented, questions = self._augmented(source, parts, rejected) if source.format else (None, None)
        load = self._source_load(source)
        original, original_file = self._original(source, segments)
        held_out = self._plain_rows(source, source.held_out, "held_out")
        return WrittenEntry(
            path=source.path,
            original=original,
            original_rows=load.rows,
            original_tokens=load.tokens,
            original_file=original_file,
            augmented=augmented,
            questions=questions,
            held_out=held_out,
            twins=len(source.twins),
            segments=segments,
            beyond_share=len(source.beyond_share),
            original_trained=load.trained,
        )

    def _source_load(self, source: Source) -> Load:
        """Count the source rows to train on, as they are, and those that are too long."""
        tokens = trained = 0
        for some in batched((content for _, content in source.training_contents()), _COUNTED_AT_ONCE):
            sizes = self._student.tokens.count_all(list(map(text_of, some)))
            self.tally.too_long["original"] += self._rows.count_too_long(sizes)
            tokens += sum(sizes)
            for content, size in zip(some, sizes, strict=True):
                if isinstance(content, Text):
                    trained += size + 1
                else:
                    trained += self._student.tokens_with_ends(self._student.trained_texts(content))
        return Load(len(source.training_rows), tokens, trained)

    def _augmented(
        self, source: Source, parts: Iterator[Part], rejected: Any
    ) -> tuple[WrittenFile | None, WrittenFile | None]:
        """Write the augmentations of a source: rows with its columns, and chat rows about its plain text."""
        columns = features(source, SEGMENTS if self._rows.splits_cumulatively(source) else None)
        with (
            self._file(self._folder / f"{source.entry}-augmented.parquet", columns) as file,
            self._file(self._folder / f"{source.entry}-questions.parquet", features(source, MESSAGES)) as questions,
        ):
            for part in parts:
                file.add_part(part.augmented)
                questions.add_part(part.questions)
                rejected.write(part.rejected)
                self.tally.update(part.tally)
        return file.written, questions.written

    def _original(self, source: Source, segments: bool) -> tuple[Any, WrittenFile | None]:
        """Write the source rows anew if that is necessary.

        Returns:
            What becomes of them ("kept", "rewritten" or "dropped"), and their file if they are rewritten.
        """
        kept_rows = source.training_rows
        splitting = self._recipe.augft.sentence_splitting != "none" and source.is_text
        if source.format and not self._recipe.augft.include_original:
            return "dropped", None
        # The file of converted documents keeps its path when the documents change, and axolotl, whose hash looks at
        # paths only, would reuse the tokens of the old ones.
        rewriting = splitting or self._has_directives(source)
        mixed = self._recipe.augft.mix is not None and source.format is not None
        if not rewriting and not mixed and len(kept_rows) == len(source.rows) and source.conversion is None:
            return "kept", None
        if not rewriting:
            return "rewritten", self._plain_rows(source, kept_rows, "original")
        path = self._folder / f"{source.entry}-original.parquet"
        with self._file(path, features(source, SEGMENTS if segments else None)) as file:
            for i in kept_rows:
                if text := self._trained_on(source.text(i)):
                    columns = source_provenance(source, i, "original", text)
                    self._rows.add(file, source, i, Augmentation(text), columns)
        return "rewritten", file.written

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
        with self._file(path, features(source)) as file:
            for i in rows:
                row, text = source.reader[i], source.text(i)
                trained = self._student.trained_texts(source.content.read(row) if source.content else None)
                file.add({**row, **source_provenance(source, i, name, text)}, text, trained)
        return file.written

    def _file(self, path: Path, columns: Features) -> RowFile:
        """Open a file, and keep the sizes of its rows for the mixture."""
        file = RowFile(path, columns, self._student)
        if self._recipe.augft.mix is not None:
            self.sizes[path.name] = file.sizes
        return file
