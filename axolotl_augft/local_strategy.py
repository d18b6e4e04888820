"""Local augmentation: a few sentences of one document -> what says the same or follows from one of them (paper, local)."""

from collections.abc import Iterable, Iterator
from itertools import islice

from axolotl_augft.config import LocalAugment
from axolotl_augft.documents import Document
from axolotl_augft.examples import Form
from axolotl_augft.local_prompts import LocalPrompts, Unit, form_of, opening
from axolotl_augft.pairs import response_format
from axolotl_augft.splitting import split_sentences
from axolotl_augft.tasks import Task
from axolotl_augft.teacher import Teacher

# Most tokenizers have ### as one token, which servers that know only end tokens can stop at.
_COMPLETIONS_STOP = ("###",)
_SENDING_WINDOW = 8192
_UNLABELLED: dict[Form, str] = {"statements": "statement", "questions": "rephrasing", "exchanges": "consequence"}


class LocalStrategy:
    """The tasks of a `strategy: local` entry.

    Args:
        entry: The settings.
        teacher: Who is asked.
        documents: What is asked about; iterated anew at every call.
        language: ISO 639 code for sentence splitting.
    """

    def __init__(self, entry: LocalAugment, teacher: Teacher, documents: Iterable[Document], language: str) -> None:
        self._entry = entry
        self._teacher = teacher
        self._documents = documents
        self._language = language
        self._stop = tuple(entry.stop) if entry.stop is not None else _COMPLETIONS_STOP if teacher.api == "completions" else ()
        self._prompts: dict[Form, LocalPrompts] = {}

    def tasks(self) -> Iterator[Task]:
        """The tasks, document by document."""
        for document in self._documents:
            for unit in self._units(document):
                yield from self._unit_tasks(unit)

    def in_sending_order(self) -> Iterator[Task]:
        """Within a window of tasks, those with the same worked examples together."""
        tasks = self.tasks()
        while window := list(islice(tasks, _SENDING_WINDOW)):
            yield from sorted(window, key=lambda t: [e.id for e in t.examples])

    def _units(self, document: Document) -> Iterator[Unit]:
        """The exchange of a document, or its sentences in parts."""
        if document.exchange:
            yield Unit(document)
            return
        sentences = split_sentences(document.text, self._language)
        for start, end in self._ranges(sentences):
            yield Unit(document, tuple(sentences[start:end]), start, opening(sentences, start))

    def _ranges(self, sentences: list[str]) -> Iterator[tuple[int, int]]:
        """Ranges of consecutive sentences of at most `unit_tokens` tokens, or of one sentence that is longer."""
        start, room = 0, self._entry.unit_tokens
        for i, sentence in enumerate(sentences):
            size = self._teacher.tokens.count(sentence)
            if i > start and size > room:
                yield start, i
                start, room = i, self._entry.unit_tokens
            room -= size
        if sentences:
            yield start, len(sentences)

    def _unit_tasks(self, unit: Unit) -> Iterator[Task]:
        form = form_of(unit.document, self._entry.write)
        if form not in self._prompts:
            self._prompts[form] = LocalPrompts(self._entry, self._teacher, form)
        prompt = self._prompts[form].prompt(unit)
        extra = response_format(self._entry.kinds) if form != "statements" and self._teacher.structured else None
        for sample in range(self._entry.samples):
            yield Task(
                request=self._teacher.request(
                    prompt.prefix, prompt.target, self._teacher.max_tokens(self._entry), self._stop, sample, extra
                ),
                strategy="local",
                target=unit.document,
                premises=unit.premises,
                sentences=unit.sentences,
                first_sentence=unit.start,
                examples=prompt.examples,
                kind=self._entry.kinds[0] if len(self._entry.kinds) == 1 else _UNLABELLED[form],
                writes="statements" if form == "statements" else "questions",
            )
