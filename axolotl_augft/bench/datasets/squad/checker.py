"""A data set of passages -> its problems, or what was checked if there are none.

Real text has no formal facts, so whether a wrong choice is wrong is not proven: read some of the questions.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from axolotl_augft.bench.datasets.dataset import BenchData, Question


@dataclass(frozen=True)
class SquadExamination:
    """One examination of a data set: its `problems`, or what is `proven` if there are none."""

    data: BenchData

    @cached_property
    def problems(self) -> list[str]:
        """Problems, one line each."""
        if not self.data.questions:
            return [f"{self.data.name}: has no questions"]
        found = [f"question {q.id}: {problem}" for q in self.data.questions for problem in self._problems(q)]
        prompts = tuple(q.prompt for q in self.data.questions)
        return [*found, *(f"form row {row!r}: is a question" for row in self.data.form_rows if row.startswith(prompts))]

    @cached_property
    def proven(self) -> list[str]:
        """What was checked, one line each, with counts."""
        questions, passages = self.data.questions, len(self.data.documents)
        splits = Counter(q.split for q in questions)
        return [
            f"{len(questions):,} questions, all of whose choices stand in one of {passages:,} passages; "
            f"that the wrong ones are wrong is not proven",
            f"what questions need, by a rule about words: {', '.join(f'{s} {n:,}' for s, n in splits.most_common())}",
            *self._two_passages(),
            f"{len(self.data.form_rows):,} form rows, none of which is a question or about one of the articles",
        ]

    def _two_passages(self) -> Iterator[str]:
        """How the questions that need two passages came about; nothing if none were wanted."""
        counts = self.data.settings.get("two_passages")
        if counts is None:
            return
        yield f"two passages: {counts['compared']:,} comparisons of dates, right by construction"
        if "proposals" in counts:
            dropped = ", ".join(f"{reason} {n:,}" for reason, n in counts["dropped"].items()) or "none"
            yield (
                f"two passages: {counts['kept']:,} of {counts['proposals']:,} questions that a teacher proposed need "
                f"both as far as it can tell, which is not proven; read them (dropped: {dropped})"
            )

    def _problems(self, question: Question) -> Iterator[str]:
        if not 0 <= question.answer < len(question.choices):
            yield f"answer {question.answer} is not the index of one of {len(question.choices)} choices"
            return
        if len({c.casefold() for c in question.choices}) < len(question.choices):
            yield "choices are not distinct"
        for choice in question.choices:
            if not any(choice in text for text in self.data.documents):
                yield f"choice {choice!r} stands in no passage, so it was never seen"
