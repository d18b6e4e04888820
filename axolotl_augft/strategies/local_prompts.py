"""Units (a few sentences, or an exchange) -> prompts for local augmentation, with worked examples.

There are four forms of prompts: they ask for statements about sentences, for questions about sentences with complete or
with short answers, or for questions about a question and its answer.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from axolotl_augft.config.augment import LocalAugment
from axolotl_augft.formats.content import Exchange
from axolotl_augft.sources.documents import Document
from axolotl_augft.strategies.instructions import DATA, Instructions, instructions_of, merged
from axolotl_augft.strategies.templates import MARK, Plain, PromptTemplate, load_prompt, plain_data
from axolotl_augft.strategies.worked_examples.choice import Chooser, FittingExamples, FixedExamples
from axolotl_augft.strategies.worked_examples.pool import Example, Form, load_pool, with_kinds
from axolotl_augft.teacher.request import Prefix
from axolotl_augft.teacher.teacher import Teacher
from axolotl_augft.text.sentences import split_at_sentences

VARIABLES = {
    "kinds": "the kinds of statements asked for: rephrasing, reversal, consequence, detail",
    "examples": "worked examples, each with context, text, statements (kind, text); "
    "for questions also answer, and a statement's question",
    "opening": "the sentences before that say who 'it' and 'she' are, or none",
    "sentences": "the sentences asked about; none for an exchange",
    "exchange": "the question and answer asked about, with the turns before and the system prompt; none for a document",
    "structured": "whether the answer is to be JSON",
    "short": "whether the answers to questions are to be as short as possible",
}
_MARGIN = 64
_NEUTRAL_TURNS = [{"role": "user", "text": DATA}]
_CACHED_PREFIXES = 1024


@dataclass(frozen=True)
class LocalUnit:
    """What one request is about: consecutive sentences of a document, or its exchange.

    Attributes:
        document: The document.
        sentences: The sentences; empty for an exchange.
        start: Number of the first of these sentences in the document, from 0.
        opening: Earlier sentences that say what pronouns refer to (see `opening`), "" if there are none.
        form: What is asked for.
    """

    document: Document
    sentences: tuple[str, ...] = ()
    start: int = 0
    opening: str = ""
    form: Form = "statements"

    @property
    def exchange(self) -> Exchange | None:
        """The document's question and answer, None for plain text."""
        return self.document.exchange

    @property
    def premises(self) -> tuple[str, ...]:
        """The texts that the teacher's statements must follow from."""
        if self.exchange:
            return (self.document.text, self.exchange.system) if self.exchange.system else (self.document.text,)
        return (self.opening, *self.sentences) if self.opening else self.sentences

    @property
    def digest(self) -> bytes:
        """SHA-256 of everything the requests are about: equal units make equal requests."""
        parts = (self.document.text, self.exchange.system) if self.exchange else (self.opening, *self.sentences)
        return hashlib.sha256("\0".join((self.form, *parts)).encode()).digest()


@dataclass(frozen=True)
class Prompt:
    """A rendered prompt.

    Attributes:
        prefix: Instructions and worked examples, which other prompts may share.
        target: The part that is specific to the unit.
    """

    prefix: Prefix
    target: str


@dataclass(frozen=True)
class _ShownExample:
    """A worked example as a template shows it, with what stands before and after the examples."""

    before: str
    text: str
    after: str


class LocalPrompts:
    """Makes the prompts of one form.

    Args:
        entry: The settings of the `augment` entry.
        teacher: The teacher model.
        form: What the prompts ask for.

    Raises:
        ConfigError: A prompt template is missing or invalid.
    """

    def __init__(self, entry: LocalAugment, teacher: Teacher, form: Form) -> None:
        self._entry = entry
        self._teacher = teacher
        self._form = form
        self._is_short = form == "short_questions"
        self._template = load_local_prompt(entry, teacher.api, form)
        self._sentence_template = _sentence_prompt(entry, teacher.api, form) or self._template
        self._systems = {t.name: t.render("system") for t in (self._template, self._sentence_template)}
        self._prefixes: dict[tuple[str, ...], Prefix] = {}
        self._shown_examples: dict[tuple[str, str], _ShownExample] = {}
        self._always = {
            "kinds": Plain(plain_data(entry.kinds)),
            "structured": teacher.structured,
            "short": self._is_short,
        }

    @cached_property
    def instructions(self) -> Instructions:
        """The instructions of the prompts, whichever template they are made with."""
        statement = {"kind": self._entry.kinds[0], "text": DATA, "question": DATA}
        example = {"text": DATA, "context": DATA, "answer": DATA, "statements": [statement]}
        exchange = {"question": DATA, "answer": DATA, "text": DATA, "system": DATA, "before": _NEUTRAL_TURNS}
        values = {"kinds": self._entry.kinds, "structured": self._teacher.structured, "short": self._is_short}
        values["opening"] = DATA
        about_text = {**values, "examples": [example], "sentences": [DATA], "exchange": None}
        about_exchange = {**values, "examples": [example], "sentences": [], "exchange": exchange}
        templates = {t.name: t for t in (self._template, self._sentence_template)}.values()
        return merged(instructions_of(template, about_text, about_exchange) for template in templates)

    def prompts(self, units: Sequence[LocalUnit]) -> Iterator[Prompt]:
        """Yield the prompts of units, in their order.

        Raises:
            ConfigError: The worked examples cannot be loaded, or a template fails on a unit.
        """
        asked = [(u.exchange.question,) if u.exchange else u.sentences for u in units]
        for unit, examples in zip(units, self._chooser.choose_all(asked), strict=True):
            yield self._prompt(unit, examples)

    def _prompt(self, unit: LocalUnit, examples: tuple[Example, ...]) -> Prompt:
        template = self._sentence_template if len(unit.sentences) == 1 else self._template
        exchange = unit.exchange
        prefix = self._prefix(template, examples)
        if exchange:
            exchange = self._shortened(exchange, prefix)
        asked = {**plain_data(exchange), "text": exchange.text} if exchange else None
        values = {"opening": unit.opening, "sentences": unit.sentences, "exchange": asked}
        return Prompt(prefix, self._render(template, "target", **values))

    @cached_property
    def _chooser(self) -> Chooser:
        pool = with_kinds(load_pool(self._entry.examples, self._form), self._entry.kinds)
        count = self._entry.num_examples
        return FittingExamples(pool, count) if self._entry.example_choice == "fitting" else FixedExamples(pool, count)

    def _render(self, template: PromptTemplate, block: str, **values: Any) -> str:
        return template.render(block, **self._always, **values)

    def _prefix(self, template: PromptTemplate, examples: tuple[Example, ...]) -> Prefix:
        """Return the prefix with these examples; the most recently made prefixes are cached."""
        key = (template.name, *[e.id for e in examples])
        prefix = self._prefixes.get(key)
        if prefix is None:
            prefix = self._prefixes[key] = Prefix(self._systems[template.name], self._prefix_text(template, examples))
            if len(self._prefixes) > _CACHED_PREFIXES:
                del self._prefixes[next(iter(self._prefixes))]
        return prefix

    def _prefix_text(self, template: PromptTemplate, examples: Sequence[Example]) -> str:
        if template.with_marks is None or not examples:
            return self._render(template, "prefix", examples=examples)
        shown = [self._shown(template.with_marks, example) for example in examples]
        return "".join([shown[0].before, *(one.text for one in shown), shown[0].after])

    def _shown(self, template: PromptTemplate, example: Example) -> _ShownExample:
        """Show an example by a template with marks, once for all prompts."""
        key = (template.name, example.id)
        if key not in self._shown_examples:
            before, _, rest = self._render(template, "prefix", examples=[example]).partition(MARK)
            text, _, after = rest.rpartition(MARK)
            self._shown_examples[key] = _ShownExample(before, text, after)
        return self._shown_examples[key]

    def _shortened(self, exchange: Exchange, prefix: Prefix) -> Exchange:
        """Shorten an exchange until it fits into the teacher's context.

        Earlier turns go first; if that is not enough, only the beginning of the answer is kept.
        """
        if self._teacher.context_length is None:
            return exchange
        count = self._teacher.tokens.count
        taken = count(prefix.system) + count(prefix.text) + self._teacher.max_tokens(self._entry) + _MARGIN
        room = self._teacher.context_length - taken - count(exchange.system)
        if count(exchange.text) <= room:
            return exchange
        alone = replace(exchange, before=())
        if count(alone.text) <= room:
            return alone
        return replace(alone, answer=split_at_sentences(alone.answer, max(1, room - count(alone.question)), count)[0])


def load_local_prompt(entry: LocalAugment, api: str, form: Form = "statements") -> PromptTemplate:
    """Load the entry's own prompt template, or the package's if it has none.

    Raises:
        ConfigError: The template is missing or invalid.
    """
    about = "" if form == "statements" else "-exchanges" if form == "exchanges" else "-questions"
    return load_prompt(f"local{about}.{api}.jinja", entry.prompt, VARIABLES)


def _sentence_prompt(entry: LocalAugment, api: str, form: Form) -> PromptTemplate | None:
    """Load the package's plainest prompt, for one sentence and one kind; None if it does not apply.

    It has no labels: without them, small models copy names and relations far better.
    """
    if api != "completions" or len(entry.kinds) > 1 or entry.prompt or form != "statements":
        return None
    return load_prompt("sentence.completions.jinja", None, VARIABLES)


def forms_of(document: Document, entry: LocalAugment) -> tuple[Form, ...]:
    """Return the forms of prompts that a document needs: those that the entry asks for, or the one of exchanges."""
    if document.exchange:
        return ("exchanges",)
    questions: dict[str, Form] = {"long": "questions", "short": "short_questions"}
    forms: list[Form] = []
    for written in entry.written:
        forms += [questions[length] for length in entry.lengths] if written == "questions" else ["statements"]
    return tuple(forms)


def opening(sentences: Sequence[str], start: int) -> str:
    """Join the document's first sentence and the one before the unit, where the referents of "it" and "she" are named.

    Args:
        sentences: All sentences of the document.
        start: Number of the unit's first sentence; at 0 there is nothing before it, and the result is "".
    """
    return " ".join(dict.fromkeys((sentences[0], sentences[start - 1]))) if start else ""
