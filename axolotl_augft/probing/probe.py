"""Documents and a student's stored answers -> which sentences and documents it knows already.

The teacher is asked about nothing that the student knows. What is known is a pure function of the documents and the
stored answers. A question without an answer counts as answered wrongly: before the student is asked, nothing is known.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from axolotl_augft.batched import batched
from axolotl_augft.config.probe import ProbeConfig
from axolotl_augft.probing.questions import Question, Questions, Wording, is_right
from axolotl_augft.probing.record import ProbeRecord
from axolotl_augft.sources.documents import Document, Place
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.strategies.task import Task
from axolotl_augft.teacher.request import Request
from axolotl_augft.teacher.teacher import Teacher
from axolotl_augft.text.sentences import split_sentences

_MAX_TOKENS = 32
_DOCUMENTS_AT_ONCE = 128


@dataclass(frozen=True)
class Known:
    """What the student knows.

    Attributes:
        sentences: Positions of the sentences that it knows, by document; none for a document without any.
        documents: The documents that it knows.
        record: The numbers of both.
        is_final: Whether every question has an answer.
    """

    sentences: dict[Place, frozenset[int]]
    documents: frozenset[Place]
    record: ProbeRecord
    is_final: bool

    def covers(self, task: Task) -> bool:
        """Whether the student knows all that a task is about: its sentences or, if it has none, its document."""
        if task.exchange is not None:
            return False
        if not task.sentences:
            return task.target.place in self.documents
        asked = range(task.first_sentence, task.first_sentence + len(task.sentences))
        return self.sentences.get(task.target.place, frozenset()).issuperset(asked)


@dataclass
class _Tally:
    """Running numbers of what is known."""

    sentences: dict[Place, frozenset[int]] = field(default_factory=dict)
    documents: set[Place] = field(default_factory=set)
    all_documents: int = 0
    all_sentences: int = 0
    asked_about: int = 0
    questions: int = 0
    right: int = 0
    unanswered: int = 0


class Probe:
    """Asks the untrained student about the sentences of documents.

    Attributes:
        student: The student, as it is served.

    Args:
        config: The `probe:` block.
        student: The student.
        store: The response store that holds its answers.
        documents: The documents that the teacher is to be asked about; iterated more than once.
        language: ISO 639 code, for sentence ends.
    """

    def __init__(
        self, config: ProbeConfig, student: Teacher, store: ResponseStore, documents: Iterable[Document], language: str
    ) -> None:
        self.student = student
        self._config = config
        self._store = store
        self._documents = documents
        self._language = language
        greedy = student.config.model_copy(update={"temperature": 0.0, "top_p": None})
        # The answer does not depend on the seed, so recipes with other seeds find it in the store.
        self._asked = replace(student, config=greedy, seed=0)
        self._wording = Wording(student.api)
        self._max_tokens = (config.student.max_tokens if config.student else None) or _MAX_TOKENS
        self._stop = ("\n",) if student.api == "completions" else ()
        self._final: Known | None = None

    def requests(self) -> Iterator[Request]:
        """Yield the requests of all questions, document by document."""
        for document in self._texts():
            for questions in self._about(document):
                yield from map(self._request, questions)

    @property
    def known(self) -> Known:
        """What the answers say that are stored now; computed once as soon as all are."""
        if self._final is None:
            known = self._find_known()
            self._final = known if known.is_final else None
            return known
        return self._final

    def warnings(self) -> Iterator[str]:
        """Warn if there is nothing to ask."""
        if next(self.requests(), None) is None:
            yield (
                "probe asks nothing: no sentence of plain text has a name or number to ask for. Names are told by "
                "their capitals, so scripts without capitals have none"
            )

    def _texts(self) -> Iterator[Document]:
        return (document for document in self._documents if not document.exchange)

    def _sentences(self, document: Document) -> Sequence[str]:
        return split_sentences(document.text, self._language)

    @cached_property
    def _questions(self) -> Questions:
        sentences = (sentence for document in self._texts() for sentence in self._sentences(document))
        return Questions(sentences, self._config.questions)

    def _about(self, document: Document) -> list[list[Question]]:
        return [self._questions.about(sentence) for sentence in self._sentences(document)]

    def _request(self, question: Question) -> Request:
        return self._asked.request(self._wording.prefix, self._wording.target(question), self._max_tokens, self._stop)

    def _find_known(self) -> Known:
        tally = _Tally()
        for some in batched(self._texts(), _DOCUMENTS_AT_ONCE):
            asked = [self._about(document) for document in some]
            found = self._right(question for sentences in asked for questions in sentences for question in questions)
            for document, sentences in zip(some, asked, strict=True):
                self._count(document, [[next(found) for _ in questions] for questions in sentences], tally)
        record = ProbeRecord(
            by=self.student.id,
            questions=tally.questions,
            right=tally.right,
            sentences=tally.all_sentences,
            asked_about=tally.asked_about,
            known_sentences=sum(map(len, tally.sentences.values())),
            documents=tally.all_documents,
            known_documents=len(tally.documents),
        )
        return Known(tally.sentences, frozenset(tally.documents), record, not tally.unanswered)

    def _right(self, questions: Iterable[Question]) -> Iterator[bool | None]:
        """Yield for each question whether it is answered right, None where there is no answer."""
        asked = list(questions)
        for question, answer in zip(asked, self._store.get(list(map(self._request, asked))), strict=True):
            yield None if answer is None else is_right(question, answer.text)

    def _count(self, document: Document, right: list[list[bool | None]], tally: _Tally) -> None:
        """Count a document, given which questions about each of its sentences are answered right."""
        known = [i for i, of_one in enumerate(right) if self._is_enough(of_one.count(True), len(of_one))]
        if known:
            tally.sentences[document.place] = frozenset(known)
        if self._is_enough(len(known), len(right)):
            tally.documents.add(document.place)
        tally.all_documents += 1
        tally.all_sentences += len(right)
        tally.asked_about += sum(map(bool, right))
        tally.questions += sum(map(len, right))
        tally.right += sum(of_one.count(True) for of_one in right)
        tally.unanswered += sum(of_one.count(None) for of_one in right)

    def _is_enough(self, known: int, of: int) -> bool:
        return of > 0 and known >= self._config.threshold * of
