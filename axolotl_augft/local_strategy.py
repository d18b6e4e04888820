"""Local augmentation: a few sentences of one document -> what says the same or follows from one of them (paper, local)."""

from collections.abc import Iterable, Iterator
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
_SENDING_WINDOW = 8192
_KEPT_PREFIXES = 1024


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
        self._prefixes: dict[tuple[str, ...], Prefix] = {}

    def tasks(self) -> Iterator[Task]:
        """The tasks, document by document."""
        for document in self._documents:
            sentences = split_sentences(document.text, self._language)
            for start, end in self._units(sentences):
                yield from self._unit_tasks(document, sentences, start, end)

    def in_sending_order(self) -> Iterator[Task]:
        """Within a window of tasks, those with the same worked examples together. The first windows are small, so that sending starts soon."""
        tasks = self.tasks()
        size = _FIRST_WINDOW
        while window := list(islice(tasks, size)):
            yield from sorted(window, key=lambda t: t.request.prefix.text)
            size = min(2 * size, _SENDING_WINDOW)

    def _units(self, sentences: list[str]) -> Iterator[tuple[int, int]]:
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

    def _unit_tasks(self, document: Document, sentences: list[str], start: int, end: int) -> Iterator[Task]:
        unit = tuple(sentences[start:end])
        opening = _opening(sentences, start)
        examples = self._chooser.choose(unit)
        template = self._sentence_template if len(unit) == 1 else self._template
        prefix = self._prefix(template, examples)
        target = template.render("target", opening=opening, sentences=unit, kinds=self._entry.kinds)
        for sample in range(self._entry.samples):
            yield Task(
                request=self._teacher.request(prefix, target, self._teacher.max_tokens(self._entry), self._stop, sample),
                strategy="local",
                target=document,
                premises=(opening, *unit) if opening else unit,
                sentences=unit,
                first_sentence=start,
                examples=examples,
                kind=self._entry.kinds[0] if len(self._entry.kinds) == 1 else "statement",
            )

    def _prefix(self, template: PromptTemplate, examples: tuple[Example, ...]) -> Prefix:
        """The prefix with these examples; the last so many are kept."""
        key = (template.name, *(e.id for e in examples))
        prefix = self._prefixes.get(key)
        if prefix is None:
            text = template.render("prefix", examples=examples, kinds=self._entry.kinds)
            prefix = self._prefixes[key] = Prefix(template.render("system"), text)
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
