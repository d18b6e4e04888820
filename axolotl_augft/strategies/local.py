"""Documents -> tasks for local augmentation: what restates or follows from a few sentences of one (paper, local)."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from axolotl_augft.batched import batched
from axolotl_augft.config.augment import LocalAugment
from axolotl_augft.sources.documents import Document
from axolotl_augft.strategies.answer_schema import response_format
from axolotl_augft.strategies.local_prompts import LocalPrompts, LocalUnit, Prompt, forms_of, opening
from axolotl_augft.strategies.task import Missed, Reading, Task
from axolotl_augft.strategies.worked_examples.pool import Form
from axolotl_augft.teacher.teacher import Teacher
from axolotl_augft.text.sentences import split_sentences

_FIRST_WINDOW = 64
_SENDING_WINDOW = 2048
"""Number of units whose requests are sorted by prefix before they are sent."""
_LONGEST_CONTEXT = 500
"""Characters of a document that statements about its sentences are verified against; of a longer one, only those and
what stands before them, which a small model reads more closely."""
_DOCUMENTS_AT_ONCE = 128
_UNLABELLED: dict[Form, str] = {
    "statements": "statement",
    "questions": "rephrasing",
    "short_questions": "rephrasing",
    "exchanges": "consequence",
}


class LocalStrategy:
    """Makes the tasks of a `strategy: local` entry.

    Args:
        entry: The settings of the entry.
        teacher: The teacher model.
        documents: The documents to augment; iterated again for every call.
        language: ISO 639 code for sentence splitting.
    """

    def __init__(self, entry: LocalAugment, teacher: Teacher, documents: Iterable[Document], language: str) -> None:
        # One target per question, whatever the API: a model that is shown several sentences asks about some of them.
        self._question_tokens = entry.unit_tokens or 1
        self.settings = entry = entry.for_api(teacher.api)
        self._teacher = teacher
        self._documents = documents
        self._language = language
        self._stop = teacher.stop(entry)
        self._max_tokens = teacher.max_tokens(entry)
        self._unit_tokens = entry.unit_tokens or 1
        self._prompts: dict[Form, LocalPrompts] = {}
        self._reading = Reading(rephrases_the_source=True, labels_details="detail" in entry.kinds)
        self._reading_short = replace(self._reading, short_answers=True)

    def units(self) -> Iterator[LocalUnit]:
        """Yield the units that requests are about, document by document; much cheaper than making the requests."""
        for some in batched(self._documents, _DOCUMENTS_AT_ONCE):
            yield from self._units_of(some)

    def tasks(self) -> Iterator[Task]:
        """Yield the tasks document by document."""
        for some in batched(self.units(), _DOCUMENTS_AT_ONCE):
            yield from self._tasks_of(some)

    def in_sending_order(self) -> Iterator[Task]:
        """Yield the tasks window by window, with tasks that share worked examples next to each other in a window.

        The first windows are small, so that sending starts soon.
        """
        units = self.units()
        size = _FIRST_WINDOW
        while window := list(islice(units, size)):
            yield from self.lay_out(window)
            size = min(2 * size, _SENDING_WINDOW)

    def windows(self) -> Iterator[Sequence[LocalUnit]]:
        """Yield the units in windows; requests share prefixes within a window only."""
        return batched(self.units(), _SENDING_WINDOW)

    def lay_out(self, units: Sequence[LocalUnit]) -> list[Task]:
        """Return the tasks of some units of a window, in sending order."""
        return sorted(self._tasks_of(units), key=lambda t: t.request.prefix.text)

    def again(self, missed: Missed) -> Iterator[Task]:
        """Yield tasks about single sentences: one kind a request, with worked examples chosen in another way."""
        other = "fixed" if self.settings.example_choice == "fitting" else "fitting"
        same = {"unit_tokens": 1, "example_choice": other}
        entries = [self.settings.model_copy(update={"kinds": [kind], **same}) for kind in self.settings.kinds]
        tasks = [self._tasks_about_missed(entry, missed) for entry in entries]
        yield from heapq.merge(*tasks, key=lambda task: task.target.place)

    def scope(self, units: int) -> str:
        """Describe the number of units; a unit is a few sentences or an exchange."""
        return f"{units:,} units"

    def warnings(self) -> Iterator[str]:
        """Return no warnings: local augmentation has none."""
        return iter(())

    def _tasks_about_missed(self, entry: LocalAugment, missed: Missed) -> Iterator[Task]:
        documents = (d for d in self._documents if d.place in missed)
        one = LocalStrategy(entry, self._teacher, documents, self._language)
        units = (unit for unit in one.units() if unit.start in missed[unit.document.place])
        for some in batched(units, _DOCUMENTS_AT_ONCE):
            yield from one._tasks_of(some)

    def _tasks_of(self, units: Sequence[LocalUnit]) -> Iterator[Task]:
        for unit, prompt in zip(units, self._prompted(units), strict=True):
            yield from self._unit_tasks(unit, prompt)

    def _units_of(self, documents: Sequence[Document]) -> Iterator[LocalUnit]:
        """Yield a unit for each exchange, and units of consecutive sentences for each plain text."""
        split = [[] if d.exchange else split_sentences(d.text, self._language) for d in documents]
        for document, sentences, own in zip(documents, split, self._sizes(split), strict=True):
            for form in forms_of(document, self.settings):
                for start, end in self._ranges(own, form):
                    yield LocalUnit(document, tuple(sentences[start:end]), start, opening(sentences, start), form)
                if document.exchange:
                    yield LocalUnit(document, form=form)

    def _prompted(self, units: Sequence[LocalUnit]) -> Iterator[Prompt]:
        """Return the prompts of units in their order; those of the same form are made together."""
        by_form: dict[Form, list[LocalUnit]] = {}
        for unit in units:
            by_form.setdefault(unit.form, []).append(unit)
        made = {form: self._prompts_of(form).prompts(own) for form, own in by_form.items()}
        return (next(made[unit.form]) for unit in units)

    def _prompts_of(self, form: Form) -> LocalPrompts:
        if form not in self._prompts:
            self._prompts[form] = LocalPrompts(self.settings, self._teacher, form)
        return self._prompts[form]

    def _sizes(self, split: Sequence[Sequence[str]]) -> Iterator[list[int]]:
        """Yield the tokens of each document's sentences, as far as they decide which ones make a unit."""
        if self._unit_tokens == self._question_tokens == 1:
            # No two sentences fit into one token, so none needs to be counted.
            yield from ([1] * len(sentences) for sentences in split)
            return
        counted = [s for sentences in split if len(sentences) > 1 for s in sentences]
        sizes = iter(self._teacher.tokens.count_all(counted))
        for sentences in split:
            yield list(islice(sizes, len(sentences))) if len(sentences) > 1 else [0] * len(sentences)

    def _ranges(self, sizes: Sequence[int], form: Form) -> Iterator[tuple[int, int]]:
        """Yield ranges of sentences with at most `unit_tokens` tokens; a longer sentence gets a range of its own."""
        most = self._unit_tokens if form == "statements" else self._question_tokens
        start, room = 0, most
        for i, size in enumerate(sizes):
            if i > start and size > room:
                yield start, i
                start, room = i, most
            room -= size
        if sizes:
            yield start, len(sizes)

    def _unit_tasks(self, unit: LocalUnit, prompt: Prompt) -> Iterator[Task]:
        form = unit.form
        extra = response_format(self.settings.kinds) if form != "statements" and self._teacher.structured else None
        for sample in range(self.settings.samples):
            yield Task(
                request=self._teacher.request(
                    prompt.prefix, prompt.target, self._max_tokens, self._stop, sample, extra
                ),
                strategy="local",
                target=unit.document,
                premises=unit.premises,
                context=() if unit.exchange or len(unit.document.text) > _LONGEST_CONTEXT else (unit.document.text,),
                sentences=unit.sentences,
                first_sentence=unit.start,
                kind=self.settings.kinds[0] if len(self.settings.kinds) == 1 else _UNLABELLED[form],
                writes="statements" if form == "statements" else "questions",
                reading=self._reading_short if form == "short_questions" else self._reading,
                question_form=self.settings.question_form,
                instructions=self._prompts_of(form).instructions,
            )
