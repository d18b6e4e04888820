"""A recipe's training documents -> multiple-choice questions written by its own teacher: `bench questions`.

The questions test what is trained, so the teacher gets no held-out rows and no test rows. They go through the same
session and store as augmentations: stored answers are not requested again, and the same store gives the same file.
Since a model wrote them, only a person can tell whether the right choice is right and the wrong ones are wrong.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import orjson

from axolotl_augft.asking.budget import recipe_budget
from axolotl_augft.asking.rounds import Rounds
from axolotl_augft.bench.experiments.question_reading import Rejection, WrittenQuestion, read_question
from axolotl_augft.bench.report.output import write_text
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import BenchError
from axolotl_augft.output.reuse import input_stamps, model_stamps
from axolotl_augft.sources.documents import Document, read_documents
from axolotl_augft.sources.loading import load_sources
from axolotl_augft.store.lock import AskingLock
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.strategies.templates import PromptTemplate, load_prompt
from axolotl_augft.teacher.request import Prefix, Request
from axolotl_augft.teacher.serving.session import TeacherSession
from axolotl_augft.teacher.teacher import Teacher, resolve_teacher, settled
from axolotl_augft.text.sentences import split_at_sentences

LOG = logging.getLogger("axolotl_augft")
VARIABLES = {"text": "the document, or a part of a long one"}
SPLIT = "written"
_MAX_TOKENS = 256
_PASSAGE_TOKENS = 512
_TRIES_A_QUESTION = 4
_COMPLETIONS_STOP = ("###",)


@dataclass(frozen=True)
class QuestionRow:
    """One line of the file.

    Attributes:
        answer: Index of the right choice.
        source: Id of the document.
        written_by: Id of the teacher.
    """

    prompt: str
    choices: tuple[str, ...]
    answer: int
    split: str
    source: str
    written_by: str


@dataclass(frozen=True)
class Written:
    """The outcome of asking the teacher for questions.

    Attributes:
        rows: Accepted questions, in the order of the requests.
        rejected: Number of answers that gave no question, by reason.
    """

    rows: tuple[QuestionRow, ...]
    rejected: Counter[Rejection]


@dataclass(frozen=True, slots=True)
class _Task:
    request: Request
    document: Document


def write_questions(recipe: Recipe, number: int, out: Path) -> Written:
    """Have the teacher write questions, and write the well-formed ones to a JSON Lines file.

    A rejected answer is replaced by another request, up to four requests per question wanted.

    Args:
        recipe: Gives the training documents, the teacher and the store.
        number: Number of questions wanted, at least 1.
        out: The file to write.

    Raises:
        BenchError: No answer gave a question, or the file cannot be written.
        AugftError: A source, the store or the teacher cannot be used. Every answer that arrived is stored.
    """
    documents = list(read_documents(load_sources(recipe)))
    with (
        _opened(recipe) as (teacher, store),
        AskingLock(store.path, teacher.id, recipe.augft.wait_timeout) as alone,
        TeacherSession(teacher, recipe.output_dir / "logs" / "teacher.log") as session,
    ):
        tasks = islice(_Tasks(teacher, documents, recipe.augft.language).all_of_them(), number * _TRIES_A_QUESTION)
        budget = recipe_budget(recipe.augft, teacher)
        rounds = Rounds(teacher, store, session, budget, max_failed_fraction=0, alone=alone)
        written = _collect(tasks, number, teacher, store, rounds)
    if not written.rows:
        raise BenchError(
            f"none of {written.rejected.total()} answers gave a question ({listed(written.rejected)}); "
            "take a larger teacher, or another augft.teacher.api"
        )
    write_text(out, "".join(orjson.dumps(asdict(row)).decode() + "\n" for row in written.rows))
    return written


def report_lines(written: Written, wanted: int, out: Path) -> list[str]:
    """Describe what was written and rejected, with a reminder to read the questions."""
    rows = written.rows
    lines = [
        f"questions {len(rows):,} of {wanted:,} asked for, about {len({r.source for r in rows}):,} training documents "
        f"(held-out and test rows are not asked about), in {out}"
    ]
    if written.rejected:
        lines.append(f"answers rejected {written.rejected.total():,} ({listed(written.rejected)})")
    return [
        *lines,
        f"A model ({rows[0].written_by}) wrote these questions and their answers. Read them before you trust a score "
        f"on them.",
    ]


def listed(rejected: Counter[Rejection]) -> str:
    """Format reasons and counts, the most frequent first."""
    return ", ".join(f"{reason} {n:,}" for reason, n in rejected.most_common())


@contextmanager
def _opened(recipe: Recipe) -> Iterator[tuple[Teacher, ResponseStore]]:
    stamps = model_stamps(recipe, recipe.augft.teacher, input_stamps(recipe))
    with ResponseStore.opened(recipe.store_path) as store:
        yield settled(resolve_teacher(recipe.augft.teacher, recipe.base_model, recipe.seed, stamps), store), store


class _Tasks:
    """The requests to the teacher, in an order that depends only on the documents' contents."""

    def __init__(self, teacher: Teacher, documents: list[Document], language: str) -> None:
        self._teacher = teacher
        self._language = language
        self._documents = sorted(documents, key=lambda d: hashlib.sha256(f"question {d.text}".encode()).digest())
        self._template: PromptTemplate = load_prompt(f"questions.{teacher.api}.jinja", None, VARIABLES)
        self._prefix = Prefix(self._template.render("system"), self._template.render("prefix"))
        length = teacher.context_length
        self._max_tokens = min(_MAX_TOKENS, length // 4) if length else _MAX_TOKENS
        self._passage_tokens = min(_PASSAGE_TOKENS, length // 4) if length else _PASSAGE_TOKENS

    def all_of_them(self) -> Iterator[_Task]:
        """Yield the first part of each document, then the second parts, and so on; then all again as further samples.

        Never ends.
        """
        parts = [
            split_at_sentences(d.text, self._passage_tokens, self._teacher.tokens.count, self._language)
            for d in self._documents
        ]
        sample = 0
        while True:
            for i in range(max(len(p) for p in parts)):
                for document, own in zip(self._documents, parts, strict=True):
                    if i < len(own):
                        yield _Task(self._request(own[i], sample), document)
            sample += 1

    def _request(self, text: str, sample: int) -> Request:
        stop = _COMPLETIONS_STOP if self._teacher.api == "completions" else ()
        return self._teacher.request(
            self._prefix, self._template.render("target", text=text), self._max_tokens, stop, sample
        )


def _collect(tasks: Iterator[_Task], number: int, teacher: Teacher, store: ResponseStore, rounds: Rounds) -> Written:
    """Request as many questions as are still missing, until there are enough or no tasks are left."""
    rows: list[QuestionRow] = []
    rejected: Counter[Rejection] = Counter()
    seen: set[str] = set()
    while some := list(islice(tasks, number - len(rows))):
        wave = [t.request for t in some]
        rounds.ask(partial(iter, wave), "questions")
        for task, answer in zip(some, store.get(wave), strict=True):
            assert answer is not None, "every request of the wave is answered"
            question = read_question(answer, task.request.prefix.text, teacher.api == "completions")
            if isinstance(question, WrittenQuestion) and question.key in seen:
                question = Rejection.DUPLICATE
            if isinstance(question, Rejection):
                rejected[question] += 1
            else:
                seen.add(question.key)
                rows.append(_row(question, task.document, teacher.id))
    return Written(tuple(rows), rejected)


def _row(question: WrittenQuestion, document: Document, teacher_id: str) -> QuestionRow:
    choices = question.shuffled()
    return QuestionRow(question.prompt, choices, choices.index(question.right), SPLIT, document.id, teacher_id)
