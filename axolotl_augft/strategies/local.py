"""Local augmentation: a few sentences of one document -> what says the same or follows from one of them (paper, local)."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from axolotl_augft.config.augment import LocalAugment
from axolotl_augft.sources.documents import Document
from axolotl_augft.strategies.answer_schema import response_format
from axolotl_augft.strategies.examples import Form
from axolotl_augft.strategies.local_prompts import LocalPrompts, Prompt, Unit, form_of, opening
from axolotl_augft.strategies.task import Task
from axolotl_augft.teacher.teacher import Teacher
from axolotl_augft.text.sentences import split_sentences

# Most tokenizers have ### as one token, which servers that know only end tokens can stop at.
_COMPLETIONS_STOP = ("###",)
_FIRST_WINDOW = 64
SENDING_WINDOW = 2048
"""Units whose requests are sorted by their prefixes before they are sent."""
_CHUNK = 128
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
        self._max_tokens = teacher.max_tokens(entry)
        self._prompts: dict[Form, LocalPrompts] = {}

    @property
    def samples(self) -> int:
        """Requests a unit."""
        return self._entry.samples

    def units(self) -> Iterator[Unit]:
        """What the requests are about, document by document; far sooner made than the requests themselves."""
        documents = iter(self._documents)
        while some := list(islice(documents, _CHUNK)):
            yield from self._units_of(some)

    def tasks(self) -> Iterator[Task]:
        """The tasks, document by document."""
        units = self.units()
        while some := list(islice(units, _CHUNK)):
            yield from self._tasks_of(some)

    def in_sending_order(self) -> Iterator[Task]:
        """Within a window of units, tasks with the same worked examples together; first small windows, so that sending starts soon."""
        units = self.units()
        size = _FIRST_WINDOW
        while window := list(islice(units, size)):
            yield from self.sending(window)
            size = min(2 * size, SENDING_WINDOW)

    def sending(self, units: Sequence[Unit]) -> list[Task]:
        """The tasks of one window of units, in the order in which they are sent."""
        return sorted(self._tasks_of(units), key=lambda t: t.request.prefix.text)

    def _tasks_of(self, units: Sequence[Unit]) -> Iterator[Task]:
        for unit, prompt in zip(units, self._prompted(units), strict=True):
            yield from self._unit_tasks(unit, prompt)

    def _units_of(self, documents: Sequence[Document]) -> Iterator[Unit]:
        """The exchanges of documents, and the sentences of the others in parts."""
        split = [[] if d.exchange else split_sentences(d.text, self._language) for d in documents]
        sizes = iter(self._teacher.tokens.count_all([s for sentences in split if len(sentences) > 1 for s in sentences]))
        for document, sentences in zip(documents, split, strict=True):
            own = list(islice(sizes, len(sentences))) if len(sentences) > 1 else [0] * len(sentences)
            for start, end in self._ranges(own):
                yield Unit(document, tuple(sentences[start:end]), start, opening(sentences, start))
            if document.exchange:
                yield Unit(document)

    def _prompted(self, units: Sequence[Unit]) -> Iterator[Prompt]:
        """The prompts of units; those of one form are made together."""
        by_form: dict[Form, list[Unit]] = {}
        for unit in units:
            by_form.setdefault(form_of(unit.document, self._entry.write), []).append(unit)
        made = {form: self._prompts_of(form).prompts(own) for form, own in by_form.items()}
        return (next(made[form_of(unit.document, self._entry.write)]) for unit in units)

    def _prompts_of(self, form: Form) -> LocalPrompts:
        if form not in self._prompts:
            self._prompts[form] = LocalPrompts(self._entry, self._teacher, form)
        return self._prompts[form]

    def _ranges(self, sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Ranges of consecutive sentences of at most `unit_tokens` tokens, or of one sentence that is longer."""
        start, room = 0, self._entry.unit_tokens
        for i, size in enumerate(sizes):
            if i > start and size > room:
                yield start, i
                start, room = i, self._entry.unit_tokens
            room -= size
        if sizes:
            yield start, len(sizes)

    def _unit_tasks(self, unit: Unit, prompt: Prompt) -> Iterator[Task]:
        form = form_of(unit.document, self._entry.write)
        extra = response_format(self._entry.kinds) if form != "statements" and self._teacher.structured else None
        for sample in range(self._entry.samples):
            yield Task(
                request=self._teacher.request(prompt.prefix, prompt.target, self._max_tokens, self._stop, sample, extra),
                strategy="local",
                target=unit.document,
                premises=unit.premises,
                sentences=unit.sentences,
                first_sentence=unit.start,
                kind=self._entry.kinds[0] if len(self._entry.kinds) == 1 else _UNLABELLED[form],
                writes="statements" if form == "statements" else "questions",
            )
