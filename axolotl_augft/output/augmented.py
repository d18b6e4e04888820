"""Judged inferences -> the rows and rejected lines they become, in parts that can be made apart and joined in order."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Protocol

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.formats.content import Augmentation, Exchange, Text
from axolotl_augft.judging.rules import Judged
from axolotl_augft.output.diversity import DiversityCount
from axolotl_augft.output.row_file import (
    MESSAGES,
    SEGMENTS,
    RowBuffer,
    RowPart,
    features,
    messages,
    origin,
    provenance,
    rejected_line,
)
from axolotl_augft.output.student import Student
from axolotl_augft.sources.source import Source
from axolotl_augft.text.sentences import cumulative_rows, split_sentences
from axolotl_augft.text.tokens import counted_once
from axolotl_augft.verifying.coverage import CoverageCounter, sentence_of


class RowTarget(Protocol):
    """What takes rows: a file, or a buffer for a part of one."""

    def add(self, row: Mapping[str, Any], text: str, trained: Sequence[str] | None = None) -> None:
        """Take a row; the arguments are those of `RowFile.add`."""


@dataclass
class Tally:
    """Counts of statements and rows.

    Attributes:
        accepted: Statements that became rows, by "strategy/kind".
        rejected: Rejected statements, by reason.
        too_long: Rows longer than `sequence_len`, by what they are.
        over_the_cap: Accepted statements above `max_augmented_per_original`.
        brought_in: Statements that are kept because of a mark.
        coverage: The sentences that accepted statements are about.
        diversity: How different the accepted statements are.
    """

    accepted: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    too_long: Counter[str] = field(default_factory=Counter)
    over_the_cap: int = 0
    brought_in: int = 0
    coverage: CoverageCounter = field(default_factory=CoverageCounter)
    diversity: DiversityCount = field(default_factory=DiversityCount)

    def update(self, other: "Tally") -> None:
        """Add the counts of other documents."""
        self.accepted.update(other.accepted)
        self.rejected.update(other.rejected)
        self.too_long.update(other.too_long)
        self.over_the_cap += other.over_the_cap
        self.brought_in += other.brought_in
        self.coverage.update(other.coverage)
        self.diversity.update(other.diversity)


@dataclass(frozen=True)
class Part:
    """What the statements about some documents of one source became.

    Attributes:
        entry: Index of the source's `datasets` entry.
        augmented: Rows with the source's columns.
        questions: Chat rows about its plain text.
        rejected: The rejected statements, as lines of JSON.
        tally: The counts.
    """

    entry: int
    augmented: RowPart
    questions: RowPart
    rejected: bytes
    tally: Tally


MakeParts = Callable[[Iterable[Judged]], Iterable[Part]]
"""Makes the parts of judged inferences, which come in document order."""


class RowMaker:
    """Makes training rows of one recipe.

    Args:
        recipe: The recipe.
        student: The student model, for counting tokens and for its special tokens.
    """

    def __init__(self, recipe: Recipe, student: Student) -> None:
        self._recipe = recipe
        self._student = student

    def part(self, source: Source, judged: Iterable[Judged]) -> Part:
        """Make a part of a source.

        Args:
            source: The source.
            judged: All statements about some of its documents, in document order.
        """
        columns = SEGMENTS if self.splits_cumulatively(source) else None
        tokens = counted_once(self._student.tokens)
        augmented = RowBuffer(features(source, columns), tokens)
        questions = RowBuffer(features(source, MESSAGES), tokens)
        tally, rejected = Tally(), bytearray()
        texts: dict[str, list[str]] = {}
        for _, of_document in groupby(judged, key=lambda j: j.task.target.row):
            all_of_it = list(of_document)
            for j in self._chosen(all_of_it, tally):
                self._add_statement(source, j, augmented, questions)
                texts.setdefault(_strategy_and_kind(j), []).append(j.inference.full_text)
            for j in all_of_it:
                if j.rejected is not None:
                    tally.rejected[str(j.rejected)] += 1
                    rejected += rejected_line(source, j)
        for kind, of_kind in texts.items():
            tally.too_long[kind] += self.count_too_long(tokens.count_all(of_kind))
        return Part(source.entry, augmented.part(), questions.part(), bytes(rejected), tally)

    def add(
        self, target: RowTarget, source: Source, row: int, augmentation: Augmentation, columns: Mapping[str, Any]
    ) -> None:
        """Add an augmentation as one row, or, with sentence splitting, as one row per sentence.

        Args:
            target: Where to add it.
            source: The source.
            row: Number of the source row that it comes from.
            augmentation: The augmentation.
            columns: Its provenance columns.
        """
        assert source.format is not None
        if self._recipe.augft.sentence_splitting == "none" or not source.is_text:
            new = source.format.row(source.reader[row], augmentation)
            target.add({**new, **columns}, _text_of(augmentation), self._trained_texts(augmentation))
            return
        language = self._recipe.augft.language
        sentences = [augmentation.text] if augmentation.is_whole else split_sentences(augmentation.text, language)
        if self.splits_cumulatively(source):
            for parts in cumulative_rows(sentences, self._student.bos, self._student.eos, self._fits):
                value = [{"label": p.label, "text": p.text} for p in parts]
                trained = [p.text.removesuffix(self._student.eos) for p in parts if p.label]
                new = {"segments": value, **origin(source, row), **columns}
                target.add(new, "".join(p.text for p in parts), trained)
        else:
            for i, sentence in enumerate(sentences):
                position = {"augft_sentence": i} if columns["augft_strategy"] == "original" else {}
                new = source.format.row(source.reader[row], Augmentation(sentence))
                target.add({**new, **columns, **position}, sentence)

    def splits_cumulatively(self, source: Source) -> bool:
        """Whether the rows of a source hold segments."""
        return self._recipe.augft.sentence_splitting == "cumulative" and source.is_text

    def count_too_long(self, tokens: Iterable[int]) -> int:
        """Return how many rows of so many tokens exceed `sequence_len`."""
        return sum(n > self._recipe.training.sequence_len for n in tokens)

    def _chosen(self, all_of_it: Sequence[Judged], tally: Tally) -> list[Judged]:
        """Choose and count the statements about one document that become rows."""
        kept = [j for j in all_of_it if j.rejected is None]
        chosen = choose_statements(kept, self._recipe.augft.max_augmented_per_original, self._recipe.seed)
        tally.over_the_cap += len(kept) - len(chosen)
        tally.brought_in += sum(j.overruled is not None for j in chosen)
        tally.coverage.add(all_of_it, chosen)
        for j in chosen:
            tally.diversity.add(j.inference.full_text)
            tally.accepted[_strategy_and_kind(j)] += 1
        return chosen

    def _add_statement(self, source: Source, judged: Judged, augmented: RowTarget, questions: RowTarget) -> None:
        row, inference = judged.task.target.row, judged.inference
        if not _is_chat(source, judged):
            self.add(augmented, source, row, _augmentation(source, judged), provenance(source, judged))
            return
        chat = {**messages(inference), **origin(source, row), **provenance(source, judged)}
        questions.add(chat, inference.full_text, self._student.trained_texts(inference.content))

    def _trained_texts(self, augmentation: Augmentation) -> list[str]:
        if augmentation.question is None:
            return self._student.trained_texts(Text(augmentation.text))
        return self._student.trained_texts(Exchange(augmentation.question, augmentation.text))

    def _fits(self, text: str) -> bool:
        return self._student.tokens.count(text) <= self._recipe.training.sequence_len


def _strategy_and_kind(judged: Judged) -> str:
    return f"{judged.task.strategy}/{judged.inference.kind}"


def in_parts(judged: Iterable[Judged], least: int) -> Iterator[list[Judged]]:
    """Yield judged inferences in lists that hold whole documents of one entry.

    Args:
        judged: The inferences, in document order.
        least: The fewest inferences of a list that is not the last of its entry.
    """
    for _, of_entry in groupby(judged, key=lambda j: j.task.target.entry):
        part: list[Judged] = []
        for _, of_document in groupby(of_entry, key=lambda j: j.task.target.row):
            part += of_document
            if len(part) >= least:
                yield part
                part = []
        if part:
            yield part


def choose_statements(kept: Sequence[Judged], most: int | None, seed: int) -> list[Judged]:
    """Choose at most `most` of the accepted statements of one source row, in their order.

    The strategies take turns, so that neither crowds out the other. Within a strategy, so do its kinds of statements
    about each sentence, each beginning with the statement that is most probably true. Without probabilities a digest
    of seed and text decides, so that the choice is the same in every run. All that a person brought in are chosen.

    Args:
        kept: The accepted statements.
        most: How many to keep; None for all.
        seed: The recipe's seed.
    """
    if most is None or len(kept) <= most:
        return list(kept)
    chosen = {id(j) for j in kept if j.brought_in}
    others = [j for j in kept if not j.brought_in]
    best_first = sorted(others, key=lambda j: (-(j.probability or 0), _drawn(seed, j.inference.full_text)))
    by_strategy: dict[str, list[Judged]] = {}
    for _, judged in sorted(_in_turns(best_first), key=lambda turn: turn[0]):
        by_strategy.setdefault(judged.task.strategy, []).append(judged)
    turns = sorted((turn, name) for name, group in by_strategy.items() for turn in range(len(group)))
    chosen.update(id(by_strategy[name][turn]) for turn, name in turns[: max(0, most - len(chosen))])
    return [j for j in kept if id(j) in chosen]


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


def _in_turns(judged: Iterable[Judged]) -> Iterator[tuple[int, Judged]]:
    """Number the statements of each kind about each sentence, from 0."""
    seen: Counter[tuple[str, str, int | None]] = Counter()
    for j in judged:
        cell = (j.task.strategy, j.inference.kind, sentence_of(j))
        yield seen[cell], j
        seen[cell] += 1


def _drawn(seed: int, text: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{text}".encode()).digest()
