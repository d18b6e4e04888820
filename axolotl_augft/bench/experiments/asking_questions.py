"""A recipe -> multiple-choice questions about its training documents, written by the recipe's own teacher: `bench questions`.

The questions test what is trained, so held-out rows and test rows are never asked about. They go through the same
session and store as augmentations: what is answered is not asked again, and the same store gives the same file. A model
wrote them; whether the right choice is right, and the wrong ones are wrong, a person must see.
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
from axolotl_augft.store.lock import AskingAlone
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.strategies.templates import PromptTemplate, load_prompt
from axolotl_augft.teacher.prices import find_price
from axolotl_augft.teacher.request import Prefix, Request
from axolotl_augft.teacher.session import TeacherSession
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
    """A line of the file.

    `answer`: index of the right choice. `source`: the document's id. `written_by`: the teacher's.
    """

    prompt: str
    choices: tuple[str, ...]
    answer: int
    split: str
    source: str
    written_by: str


@dataclass(frozen=True)
class Written:
    """The accepted questions, in the order in which they were asked for, and how many answers gave none, by reason."""

    rows: tuple[QuestionRow, ...]
    rejected: Counter[Rejection]


@dataclass(frozen=True, slots=True)
class _Task:
    request: Request
    document: Document


def write_questions(recipe: Recipe, number: int, out: Path) -> Written:
    """Has the teacher write questions, and writes those that are well-formed to a JSON Lines file.

    A rejected answer is made up for by another request, up to four requests for each question wanted.

    Args:
        recipe: Whose training documents, teacher and store.
        number: How many questions are wanted, at least 1.
        out: The file.

    Raises:
        BenchError: No answer gave a question, or the file cannot be written.
        AugftError: A source, the store or the teacher cannot be used. Every answer that arrived is stored.
    """
    documents = list(read_documents(load_sources(recipe)))
    with (
        _opened(recipe) as (teacher, store),
        AskingAlone(store.path, teacher.id, recipe.augft.wait_timeout) as alone,
        TeacherSession(teacher, recipe.output_dir / "logs" / "teacher.log") as session,
    ):
        tasks = islice(_Tasks(teacher, documents, recipe.augft.language).all_of_them(), number * _TRIES_A_QUESTION)
        budget = recipe_budget(recipe.augft, teacher, find_price(teacher.config, teacher.model))
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
    """What came out, and what it is worth."""
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
    """Reasons and counts, the commonest first."""
    return ", ".join(f"{reason} {n:,}" for reason, n in rejected.most_common())


@contextmanager
def _opened(recipe: Recipe) -> Iterator[tuple[Teacher, ResponseStore]]:
    stamps = model_stamps(recipe, input_stamps(recipe))
    with ResponseStore.opened(recipe.store_path) as store:
        yield settled(resolve_teacher(recipe.augft.teacher, recipe.base_model, recipe.seed, stamps), store), store


class _Tasks:
    """What is asked, in an order that depends on the documents' contents alone."""

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
        """The first part of each document, then the second parts …; then all again as further samples, without end."""
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
    """Asks for as many questions as are still wanted, until there are enough or the tasks are at their end."""
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
