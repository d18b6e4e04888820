"""Documents -> tasks that write each of them anew: in several genres, and as several exercises.

All requests about a document share their prefix, the document. The genre `comparison` also shows the document that is
most closely related, and is left out for a document that is related to none. With `questions`, the teacher is asked for
questions about each document first, which its texts then answer; with `proposed`, for texts, which it then writes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from axolotl_augft.batched import batched
from axolotl_augft.config.augment import StudyAugment
from axolotl_augft.errors import ConfigError
from axolotl_augft.sources.documents import Document, document_id
from axolotl_augft.store.responses import StoredAnswers
from axolotl_augft.strategies.genres.asked_first import AskedFirst, proposals_first, questions_first
from axolotl_augft.strategies.genres.genre import PROPOSED, Genre, load_genres
from axolotl_augft.strategies.instructions import DATA, Instructions, instructions_of, merged
from axolotl_augft.strategies.task import Reading, Task
from axolotl_augft.strategies.templates import load_prompt
from axolotl_augft.teacher.request import Prefix
from axolotl_augft.teacher.teacher import Teacher
from axolotl_augft.text.directives import without_directives
from axolotl_augft.text.neighbours import Neighbours
from axolotl_augft.text.sentences import split_at_sentences

VARIABLES = {
    "document": "the document, with id and text",
    "related": "a related document, with id and text; none but for a comparison",
    "genre": "the name of the genre",
    "instruction": "what is to be written",
    "questions": "questions that the text is to answer; none unless they are asked for",
    "proposal": "what was proposed to be written about the document; none unless proposals are asked for",
}
_READING = Reading(is_one_text=True)
_MARGIN = 64
_TOKENS_A_QUESTION = 48
_TOKENS_A_PROPOSAL = 96
_SMALLEST_BUDGET = 64


@dataclass(frozen=True, slots=True)
class _Beside:
    """What a request shows beside its document.

    Attributes:
        related: A related document.
        questions: Questions that the text is to answer.
        proposal: What was proposed to be written.
    """

    related: object = None
    questions: Sequence[str] = ()
    proposal: str | None = None


class StudyStrategy:
    """Makes the tasks of a `strategy: study` entry.

    Args:
        entry: The settings of the entry.
        teacher: The teacher model.
        documents: The documents to augment; iterated more than once.
        language: ISO 639 code, used to cut long documents at sentence ends.
        answers: Where the questions and proposals are found that the teacher was asked for first.

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
        self._first = [
            *([questions_first(entry.questions)] if entry.questions else []),
            *([proposals_first(entry.proposed)] if entry.proposed else []),
        ]
        for asked in self._first:
            self._check_is_shown(asked)
        own = {name: Genre(name, text) for name, text in entry.own_genres.items()}
        known = {**load_genres(), **own}
        self._genres = [known[name] for name in entry.genres]

    def tasks(self) -> Iterator[Task]:
        """Yield the tasks document by document, for each part of one in the order of the genres."""
        for document in self._documents:
            for part in self._parts(document):
                prefix = self._prefix(part)
                said = self._said_first(part, prefix)
                questions = said.get("questions", ())
                for genre in self._genres:
                    related = self._related.get(document.id) if genre.related else None
                    if related or not genre.related:
                        yield from self._tasks_of(part, prefix, genre, _Beside(related, questions))
                for proposal in said.get("proposed", ()):
                    yield from self._tasks_of(part, prefix, PROPOSED, _Beside(None, questions, proposal))

    def first_tasks(self) -> Iterator[Task]:
        """Yield the tasks that ask for questions and proposals about each document; none unless they are wanted."""
        for document in self._documents if self._first else ():
            for part in self._parts(document):
                prefix = self._prefix(part)
                yield from (self._first_task(asked, part, prefix) for asked in self._first)

    def unusable(self, first: Iterable[Task]) -> Counter[str]:
        """Count the questions and proposals that were asked for, but not written so that they can be shown."""
        asked = {first.genre.name: first for first in self._first}
        lacking: Counter[str] = Counter()
        for some in batched(first):
            for task, answer in zip(some, self._answers.get([task.request for task in some]), strict=True):
                if answer is not None:
                    wanted = asked[task.kind]
                    lacking[task.kind] += wanted.number - len(wanted.read(answer.text, self._language))
        return +lacking

    def in_sending_order(self) -> Iterator[Task]:
        """Yield the same tasks: those about a document share their prefix already."""
        return self.tasks()

    def scope(self, units: int) -> str:
        """Describe the number of texts; those that the teacher will propose are not known before it is asked."""
        most = self.settings.proposed
        later = f", and up to {most} more about each document for which none are proposed yet" if most else ""
        return f"{units:,} texts{later}"

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
        instructions = max(count(self._rendered(DATA, genre)) for genre in self._written)
        free = self._teacher.context_length - self._teacher.max_tokens(self.settings) - instructions - _MARGIN
        free -= _TOKENS_A_QUESTION * self.settings.questions + _TOKENS_A_PROPOSAL * bool(self.settings.proposed)
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
        beside = _Beside(shown, [DATA] if self.settings.questions else [], DATA if self.settings.proposed else None)
        values = [self._values(genre, shown, beside) for genre in self._written]
        return merged(instructions_of(self._template, value) for value in values)

    @property
    def _written(self) -> list[Genre]:
        """The genres of all texts."""
        return [*self._genres, *([PROPOSED] if self.settings.proposed else [])]

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

    def _first_task(self, asked: AskedFirst, part: Document, prefix: Prefix) -> Task:
        target = self._template.render("target", **self._values(asked.genre, part, _Beside()))
        longest, stop = self._teacher.max_tokens(self.settings), self._teacher.stop(self.settings)
        request = self._teacher.request(prefix, target, longest, stop)
        premises, kind = (part.text,), asked.genre.name
        return Task(request=request, strategy="study", target=part, premises=premises, kind=kind, is_first=True)

    def _said_first(self, part: Document, prefix: Prefix) -> dict[str, tuple[str, ...]]:
        """Return what the teacher wrote first about a document, by setting; nothing before it is asked."""
        requests = [self._first_task(asked, part, prefix).request for asked in self._first]
        answers = zip(self._first, self._answers.get(requests) if requests else [], strict=True)
        return {asked.setting: asked.read(answer.text, self._language) for asked, answer in answers if answer}

    def _check_is_shown(self, asked: AskedFirst) -> None:
        if not self._template.uses(asked.variable):
            raise ConfigError(
                f"prompt {self._template.name}: never uses the variable '{asked.variable}', but augft.augment (study) "
                f"asks for {asked.number} {asked.genre.name}; show them to the teacher there, or remove {asked.setting}"
            )

    def _rendered(self, text: str, genre: Genre) -> str:
        shown = {"id": text, "text": text}
        values = self._values(genre, shown, _Beside(shown))
        return "".join(self._template.render(block, **values) for block in ("system", "prefix", "target"))

    def _values(self, genre: Genre, document: object, beside: _Beside) -> dict[str, object]:
        return {
            "genre": genre.name,
            "instruction": genre.instruction,
            "document": document,
            "related": beside.related,
            "questions": beside.questions,
            "proposal": beside.proposal,
        }

    def _tasks_of(self, document: Document, prefix: Prefix, genre: Genre, beside: _Beside) -> Iterator[Task]:
        target = self._template.render("target", **self._values(genre, document, beside))
        longest, stop = self._teacher.max_tokens(self.settings), self._teacher.stop(self.settings)
        related = beside.related
        for sample in range(self.settings.samples):
            yield Task(
                request=self._teacher.request(prefix, target, longest, stop, sample),
                strategy="study",
                target=document,
                premises=(document.text, related.text) if isinstance(related, Document) else (document.text,),
                kind=genre.name,
                reading=_READING,
                instructions=self._instructions,
            )
