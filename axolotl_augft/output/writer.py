"""Sources and judged inferences -> the Parquet files of a result and the counts of its manifest, in source order."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from datasets import Features

from axolotl_augft.config.recipe import HELD_OUT, Recipe
from axolotl_augft.formats.content import Augmentation, Exchange, Text
from axolotl_augft.judging.rules import Judged, Reason
from axolotl_augft.output.choice import choose_statements
from axolotl_augft.output.diversity import DiversityCount
from axolotl_augft.output.manifest import Counts, Load, WrittenEntry, WrittenFile
from axolotl_augft.output.row_file import (
    MESSAGES,
    REJECTED,
    SEGMENTS,
    RowFile,
    RowSizes,
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
from axolotl_augft.verifying.coverage import CoverageCounter


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


class ResultWriter:
    """Writes the files of a result into a folder, and counts what they hold.

    Attributes:
        coverage: Counts the sentences that accepted statements are about.
        diversity: Counts how different the accepted statements are.
        sizes: Tokens of the rows of each file, for the mixture.

    Args:
        recipe: The recipe.
        student: The student model, for counting tokens and for its special tokens.
        folder: The folder.
    """

    def __init__(self, recipe: Recipe, student: Student, folder: Path) -> None:
        self._recipe = recipe
        self._student = student
        self._folder = folder
        self._accepted: Counter[str] = Counter()
        self._rejected: Counter[str] = Counter()
        self._too_long: Counter[str] = Counter()
        self._over_the_cap = 0
        self._brought_in = 0
        self.sizes: dict[str, RowSizes] = {}
        self.coverage = CoverageCounter()
        self.diversity = DiversityCount()

    def write(self, sources: list[Source], judged: Iterable[Judged]) -> tuple[WrittenEntry, ...]:
        """Write all sources, each with its judged inferences, which come in document order."""
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
        """Return the counts of the manifest, once everything is written."""
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
            brought_in=self._brought_in,
        )

    def _entry(self, source: Source, judged: Iterator[Judged], rejected: Any) -> WrittenEntry:
        segments = self._recipe.augft.sentence_splitting == "cumulative" and source.is_text
        augmented, questions = self._augmented(source, judged, rejected, segments) if source.format else (None, None)
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
        for _, content in source.training_contents():
            size = self._count_length("original", text_of(content))
            tokens += size
            texts = self._student.trained_texts(content)
            trained += size + 1 if isinstance(content, Text) else self._student.tokens_with_ends(texts)
        return Load(len(source.training_rows), tokens, trained)

    def _augmented(
        self, source: Source, judged: Iterator[Judged], rejected: Any, segments: bool
    ) -> tuple[WrittenFile | None, WrittenFile | None]:
        """Write the augmentations of a source: rows with its columns, and chat rows about its plain text."""
        path = self._folder / f"{source.entry}-augmented.parquet"
        chats = self._folder / f"{source.entry}-questions.parquet"
        with (
            self._file(path, features(source, SEGMENTS if segments else None)) as file,
            self._file(chats, features(source, MESSAGES)) as questions,
        ):
            for _, of_document in groupby(judged, key=lambda j: j.task.target.row):
                all_of_it = list(of_document)
                kept = [j for j in all_of_it if j.rejected is None]
                chosen = choose_statements(kept, self._recipe.augft.max_augmented_per_original, self._recipe.seed)
                self._over_the_cap += len(kept) - len(chosen)
                self._brought_in += sum(j.overruled is not None for j in chosen)
                self.coverage.add(all_of_it, chosen)
                for j in chosen:
                    self.diversity.add(j.inference.full_text)
                    self._accepted[f"{j.task.strategy}/{j.inference.kind}"] += 1
                    self._count_length(f"{j.task.strategy}/{j.inference.kind}", j.inference.full_text)
                    if _is_chat(source, j):
                        row = {**messages(j.inference), **origin(source, j.task.target.row), **provenance(source, j)}
                        questions.add(row, j.inference.full_text, self._student.trained_texts(j.inference.content))
                    else:
                        new = _augmentation(source, j)
                        self._add(file, source, j.task.target.row, new, segments, provenance(source, j))
                for j in all_of_it:
                    if j.rejected is not None:
                        self._rejected[str(j.rejected)] += 1
                        rejected.write(rejected_line(source, j))
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
                    self._add(
                        file, source, i, Augmentation(text), segments, source_provenance(source, i, "original", text)
                    )
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

    def _trained_texts(self, augmentation: Augmentation) -> list[str]:
        if augmentation.question is None:
            return self._student.trained_texts(Text(augmentation.text))
        return self._student.trained_texts(Exchange(augmentation.question, augmentation.text))

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
        columns: Mapping[str, Any],
    ) -> None:
        """Write an augmentation as one row, or, with sentence splitting, as one row per sentence."""
        assert source.format is not None
        if self._recipe.augft.sentence_splitting == "none" or not source.is_text:
            new = source.format.row(source.reader[row], augmentation)
            file.add({**new, **columns}, _text_of(augmentation), self._trained_texts(augmentation))
            return
        language = self._recipe.augft.language
        sentences = [augmentation.text] if augmentation.is_whole else split_sentences(augmentation.text, language)
        if segments:
            for parts in cumulative_rows(sentences, self._student.bos, self._student.eos, self._fits):
                value = [{"label": p.label, "text": p.text} for p in parts]
                new = {"segments": value, **origin(source, row), **columns}
                trained = [p.text.removesuffix(self._student.eos) for p in parts if p.label]
                file.add(new, "".join(p.text for p in parts), trained)
        else:
            for i, sentence in enumerate(sentences):
                position = {"augft_sentence": i} if columns["augft_strategy"] == "original" else {}
                file.add(
                    {**source.format.row(source.reader[row], Augmentation(sentence)), **columns, **position},
                    sentence,
                )


def _is_chat(source: Source, judged: Judged) -> bool:
    """Whether an inference becomes a chat row about plain text."""
    return source.is_text and judged.inference.question is not None and judged.task.question_form is None


def _augmentation(source: Source, judged: Judged) -> Augmentation:
    inference, form = judged.inference, judged.task.question_form
    if source.is_text and form is not None and inference.question is not None:
        return Augmentation(form.format(question=inference.question, answer=inference.text), is_whole=True)
    is_whole = judged.task.reading.is_one_text or not judged.task.is_asked
    return Augmentation(inference.text, inference.question, inference.keeps_answer, is_whole)


def _text_of(augmentation: Augmentation) -> str:
    return augmentation.text if augmentation.question is None else f"{augmentation.question}\n{augmentation.text}"
