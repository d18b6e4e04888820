"""Local augmentation: a few sentences of one document -> what says the same or follows from one of them (paper, local)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from axolotl_augft.config import LocalAugment
from axolotl_augft.documents import Document
from axolotl_augft.examples import Chooser, Example, FittingExamples, FixedExamples, load_pool, with_kinds
from axolotl_augft.prompts import PromptTemplate, load_prompt
from axolotl_augft.requests import Prefix
from axolotl_augft.splitting import split_sentences
from axolotl_augft.tasks import Task
from axolotl_augft.teacher import Teacher

VARIABLES = {
    "kinds": "the kinds of statements asked for: rephrasing, reversal, consequence",
    "examples": "worked examples, each with context, text and statements (kind, text)",
    "opening": "the sentences before that say who 'it' and 'she' are, or none",
    "sentences": "the sentences asked about",
}
# Most tokenizers have ### as one token, which servers that know only end tokens can stop at.
_COMPLETIONS_STOP = ("###",)
_FIRST_WINDOW = 256
_SENDING_WINDOW = 2048
_KEPT_PREFIXES = 1024
_CHUNK = 128


@dataclass(frozen=True, slots=True)
class _Unit:
    """Consecutive sentences of a document, from number `first` on, and the sentences before them that say who "it" is."""

    document: Document
    sentences: tuple[str, ...]
    first: int
    opening: str


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
        self._template = load_local_prompt(entry, teacher.api)
        self._sentence_template = _sentence_prompt(entry, teacher.api) or self._template
        self._chooser = _chooser(entry)
        self._stop = tuple(entry.stop) if entry.stop is not None else _COMPLETIONS_STOP if teacher.api == "completions" else ()
        self._max_tokens = teacher.max_tokens(entry)
        self._systems = {t.name: t.render("system") for t in (self._template, self._sentence_template)}
        self._prefixes: dict[tuple[str, ...], Prefix] = {}

    def tasks(self) -> Iterator[Task]:
        """The tasks, document by document."""
        documents = iter(self._documents)
        while some := list(islice(documents, _CHUNK)):
            units = list(self._units(some))
            for unit, examples in zip(units, self._chooser.choose_all([u.sentences for u in units]), strict=True):
                yield from self._unit_tasks(unit, examples)

    def in_sending_order(self) -> Iterator[Task]:
        """Within a window of tasks, those with the same worked examples together; first small windows, so that sending starts soon."""
        tasks = self.tasks()
        size = _FIRST_WINDOW
        while window := list(islice(tasks, size)):
            yield from sorted(window, key=lambda t: t.request.prefix.text)
            size = min(2 * size, _SENDING_WINDOW)

    def _units(self, documents: Sequence[Document]) -> Iterator[_Unit]:
        split = [split_sentences(d.text, self._language) for d in documents]
        sizes = iter(self._teacher.tokens.count_all([s for sentences in split if len(sentences) > 1 for s in sentences]))
        for document, sentences in zip(documents, split, strict=True):
            own = list(islice(sizes, len(sentences))) if len(sentences) > 1 else [0] * len(sentences)
            for start, end in self._ranges(own):
                yield _Unit(document, tuple(sentences[start:end]), start, _opening(sentences, start))

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

    def _unit_tasks(self, unit: _Unit, examples: tuple[Example, ...]) -> Iterator[Task]:
        template = self._sentence_template if len(unit.sentences) == 1 else self._template
        prefix = self._prefix(template, examples)
        target = template.render("target", opening=unit.opening, sentences=unit.sentences, kinds=self._entry.kinds)
        for sample in range(self._entry.samples):
            yield Task(
                request=self._teacher.request(prefix, target, self._max_tokens, self._stop, sample),
                strategy="local",
                target=unit.document,
                premises=(unit.opening, *unit.sentences) if unit.opening else unit.sentences,
                sentences=unit.sentences,
                first_sentence=unit.first,
                examples=examples,
                kind=self._entry.kinds[0] if len(self._entry.kinds) == 1 else "statement",
            )

    def _prefix(self, template: PromptTemplate, examples: tuple[Example, ...]) -> Prefix:
        """The prefix with these examples; the last so many are kept."""
        key = (template.name, *(e.id for e in examples))
        prefix = self._prefixes.get(key)
        if prefix is None:
            text = template.render("prefix", examples=examples, kinds=self._entry.kinds)
            prefix = self._prefixes[key] = Prefix(self._systems[template.name], text)
            if len(self._prefixes) > _KEPT_PREFIXES:
                del self._prefixes[next(iter(self._prefixes))]
        return prefix


def load_local_prompt(entry: LocalAugment, api: str) -> PromptTemplate:
    """The entry's prompt, its own or the package's."""
    return load_prompt(f"local.{api}.jinja", entry.prompt, VARIABLES)


def _sentence_prompt(entry: LocalAugment, api: str) -> PromptTemplate | None:
    """The package's plainest prompt, for one sentence and one kind: without labels small models copy names and relations far better."""
    if api != "completions" or len(entry.kinds) > 1 or entry.prompt:
        return None
    return load_prompt("sentence.completions.jinja", None, VARIABLES)


def _chooser(entry: LocalAugment) -> Chooser:
    pool = with_kinds(load_pool(entry.examples), entry.kinds)
    return FittingExamples(pool, entry.num_examples) if entry.example_choice == "fitting" else FixedExamples(pool, entry.num_examples)


def _opening(sentences: list[str], start: int) -> str:
    """The document's first sentence and the one before the unit: "it" and "she" stand for something named in one of them."""
    return " ".join(dict.fromkeys((sentences[0], sentences[start - 1]))) if start else ""
