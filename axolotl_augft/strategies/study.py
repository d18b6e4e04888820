"""Documents -> tasks that write each of them anew: in several genres, and as several exercises.

All requests about a document share their prefix, the document. The genre `comparison` also shows the document that is
most closely related, and is left out for a document that is related to none. With `questions`, the teacher is asked for
questions about each document first, which its texts then answer.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

import orjson

from axolotl_augft.config.augment import StudyAugment
from axolotl_augft.errors import ConfigError
from axolotl_augft.sources.documents import Document, document_id
from axolotl_augft.strategies.instructions import DATA, Instructions, instructions_of, merged
from axolotl_augft.strategies.task import Reading, Task
from axolotl_augft.strategies.templates import load_prompt
from axolotl_augft.teacher.answer import Answer
from axolotl_augft.teacher.request import Prefix, Request
from axolotl_augft.teacher.teacher import Teacher
from axolotl_augft.text.directives import without_directives
from axolotl_augft.text.neighbours import Neighbours
from axolotl_augft.text.sentences import split_at_sentences, split_sentences

VARIABLES = {
    "document": "the document, with id and text",
    "related": "a related document, with id and text; none but for a comparison",
    "genre": "the name of the genre",
    "instruction": "what is to be written",
    "questions": "questions that the text is to answer; none unless they are asked for",
}
_GENRES = Path(__file__).parent / "prompts" / "genres.jsonl"
_READING = Reading(is_one_text=True)
_MARGIN = 64
_TOKENS_A_QUESTION = 48
_LONGEST_QUESTION = 300
# What stands before the first letter is taken whole: to try each part of it would take hours for a line of digits.
_QUESTION = re.compile(r"[\W\d_]*+(?P<asked>\w.*[?？؟])\W*")
_SMALLEST_BUDGET = 64


@dataclass(frozen=True, slots=True)
class Genre:
    """A way of writing a document anew.

    Attributes:
        name: Its name, which is the kind of its texts.
        instruction: What the teacher is told to write.
        related: Whether it needs a related document.
    """

    name: str
    instruction: str
    related: bool = False


class StoredAnswers(Protocol):
    """Where the answers to requests are found."""

    def get(self, requests: Sequence[Request]) -> list[Answer | None]:
        """Return the stored answer of each request, None if there is none."""


def _questions_genre(number: int) -> Genre:
    """Return what the teacher is told to write first: questions about the document."""
    return Genre(
        "questions",
        f"Write {number} questions, each about another fact, that a reader of the document should be able to answer. "
        "Write each on a line of its own that ends with a question mark, and write no answers.",
    )


def read_questions(text: str, most: int, language: str) -> tuple[str, ...]:
    """Read the questions that a teacher wrote: at most so many, each once, without what reads as an instruction.

    They stand in the teacher's next prompts, so they must be questions and nothing else.
    """
    # Small teachers write all of them on one line.
    sentences = (sentence for line in text.splitlines() for sentence in split_sentences(line, language))
    short = (sentence for sentence in sentences if len(sentence) <= _LONGEST_QUESTION)
    found = [match["asked"] for sentence in short if (match := _QUESTION.fullmatch(sentence))]
    fit = [q for q in found if without_directives(q, language) == q]
    return tuple(dict.fromkeys(fit))[:most]


def load_genres() -> dict[str, Genre]:
    """Load the package's genres, by name."""
    return {(genre := Genre(**orjson.loads(line))).name: genre for line in _GENRES.read_bytes().splitlines()}


class StudyStrategy:
    """Makes the tasks of a `strategy: study` entry.

    Args:
        entry: The settings of the entry.
        teacher: The teacher model.
        documents: The documents to augment; iterated more than once.
        language: ISO 639 code, used to cut long documents at sentence ends.
        answers: Where the questions are found that the teacher was asked for first.

    Raises:
        ConfigError: The prompt template is missing or invalid.
    """

    def __init__(
        self,
        entry: StudyAugment,
        teacher: Teacher,
        documents: Iterable[Document],
        language: str,
        answers: StoredAnswers,
    ) -> None:
        self.settings = entry
        self._teacher = teacher
        self._documents = documents
        self._language = language
        self._answers = answers
        self._template = load_prompt(f"study.{teacher.api}.jinja", entry.prompt, VARIABLES)
        if entry.questions and not self._template.uses("questions"):
            raise ConfigError(
                f"prompt {self._template.name}: never uses the variable 'questions', but augft.augment (study) asks "
                f"for {entry.questions} questions; show them to the teacher there, or remove questions"
            )
        own = {name: Genre(name, text) for name, text in entry.own_genres.items()}
        known = {**load_genres(), **own}
        self._genres = [known[name] for name in entry.genres]

    def tasks(self) -> Iterator[Task]:
        """Yield the tasks document by document, for each part of one in the order of the genres."""
        for document in self._documents:
            for part in self._parts(document):
                prefix = self._prefix(part)
                questions = self._questions_about(part, prefix)
                for genre in self._genres:
                    related = self._related.get(document.id) if genre.related else None
                    if related or not genre.related:
                        yield from self._tasks_of(part, prefix, genre, related, questions)

    def first_tasks(self) -> Iterator[Task]:
        """Yield the tasks that ask for questions about each document; none unless they are wanted."""
        for document in self._documents if self.settings.questions else ():
            for part in self._parts(document):
                yield self._question_task(part, self._prefix(part))

    def in_sending_order(self) -> Iterator[Task]:
        """Yield the same tasks: those about a document share their prefix already."""
        return self.tasks()

    def scope(self, units: int) -> str:
        """Describe the number of texts."""
        return f"{units:,} texts"

    def warnings(self) -> Iterator[str]:
        """Warn if documents are cut into parts, or if a comparison finds nothing to compare with."""
        cut = sum(self._size(d) > self._budget for d in self._documents if not d.exchange)
        if cut:
            yield f"study: {cut} documents above {self._budget} tokens are cut at sentence ends into parts"
        if any(genre.related for genre in self._genres) and not self._related:
            yield "study: no document is related to another, so no comparison is written"

    @cached_property
    def _budget(self) -> int:
        """Most tokens of a document in one prompt: the setting, or what the model's context leaves."""
        if self._teacher.context_length is None:
            return self.settings.document_tokens
        shown = 2 if any(genre.related for genre in self._genres) else 1
        count = self._teacher.tokens.count
        instructions = max(count(self._rendered(DATA, genre)) for genre in self._genres)
        free = self._teacher.context_length - self._teacher.max_tokens(self.settings) - instructions - _MARGIN
        free -= _TOKENS_A_QUESTION * self.settings.questions
        if free // shown < _SMALLEST_BUDGET:
            raise ConfigError(
                f"augft.augment (study): the teacher's context of {self._teacher.context_length} tokens leaves no room "
                f"for a document beside an answer of {self._teacher.max_tokens(self.settings)} tokens; lower "
                "max_tokens, or use a teacher with a longer context"
            )
        return min(self.settings.document_tokens, free // shown)

    @cached_property
    def _instructions(self) -> Instructions:
        """The instructions of the prompts."""
        shown = {"id": DATA, "text": DATA}
        values = [
            self._values(genre, shown, shown, [DATA] if self.settings.questions else []) for genre in self._genres
        ]
        return merged(instructions_of(self._template, value) for value in values)

    @cached_property
    def _related(self) -> dict[str, Document]:
        """For each document the one that is most like it, as far as one prompt has room for it.

        What reads as an instruction to a model is left out, so that it can reach no text about another document.
        """
        documents = [d for d in self._documents if not d.exchange]
        nearest = Neighbours(d.text for d in documents).nearest(range(len(documents)), 1).numbers[:, 0].tolist()
        pairs = zip(documents, nearest, strict=True)
        related = {d.id: self._as_related(documents[other]) for d, other in pairs if other >= 0}
        return {own: other for own, other in related.items() if other.text}

    def _as_related(self, document: Document) -> Document:
        text = without_directives(document.text, self._language)
        return replace(document, text=self._cut(text)[0])

    def _size(self, document: Document) -> int:
        return self._teacher.tokens.count(document.text)

    def _cut(self, text: str) -> list[str]:
        return split_at_sentences(text, self._budget, self._teacher.tokens.count, self._language)

    def _parts(self, document: Document) -> Iterator[Document]:
        for text in () if document.exchange else self._cut(document.text):
            yield document if text == document.text else replace(document, id=document_id(text), text=text)

    def _prefix(self, part: Document) -> Prefix:
        return Prefix(self._template.render("system"), self._template.render("prefix", document=part))

    def _question_task(self, part: Document, prefix: Prefix) -> Task:
        genre = _questions_genre(self.settings.questions)
        target = self._template.render("target", **self._values(genre, part, None))
        longest, stop = self._teacher.max_tokens(self.settings), self._teacher.stop(self.settings)
        request = self._teacher.request(prefix, target, longest, stop)
        return Task(request=request, strategy="study", target=part, premises=(part.text,), is_first=True)

    def _questions_about(self, part: Document, prefix: Prefix) -> tuple[str, ...]:
        """Return the questions about a document that the teacher has written; none before it is asked."""
        if not self.settings.questions:
            return ()
        answer = self._answers.get([self._question_task(part, prefix).request])[0]
        return read_questions(answer.text, self.settings.questions, self._language) if answer else ()

    def _rendered(self, text: str, genre: Genre) -> str:
        shown = {"id": text, "text": text}
        parts = (self._template.render(b, **self._values(genre, shown, shown)) for b in ("system", "prefix", "target"))
        return "".join(parts)

    def _values(
        self, genre: Genre, document: object, related: object, questions: Sequence[str] = ()
    ) -> dict[str, object]:
        named = {"genre": genre.name, "instruction": genre.instruction}
        return {"document": document, "related": related, "questions": questions, **named}

    def _tasks_of(
        self, document: Document, prefix: Prefix, genre: Genre, related: Document | None, questions: Sequence[str]
    ) -> Iterator[Task]:
        target = self._template.render("target", **self._values(genre, document, related, questions))
        longest, stop = self._teacher.max_tokens(self.settings), self._teacher.stop(self.settings)
        for sample in range(self.settings.samples):
            yield Task(
                request=self._teacher.request(prefix, target, longest, stop, sample),
                strategy="study",
                target=document,
                premises=(document.text, related.text) if related else (document.text,),
                kind=genre.name,
                reading=_READING,
                instructions=self._instructions,
            )
