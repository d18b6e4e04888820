"""What is asked in local augmentation: the prompt with its worked examples.

There are three forms: statements about sentences, questions about sentences, and questions about a question and its
answer.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from axolotl_augft.config.augment import LocalAugment
from axolotl_augft.formats.content import Exchange
from axolotl_augft.sources.documents import Document
from axolotl_augft.strategies.examples import (
    Chooser,
    Example,
    FittingExamples,
    FixedExamples,
    Form,
    load_pool,
    with_kinds,
)
from axolotl_augft.strategies.templates import PromptTemplate, load_prompt
from axolotl_augft.teacher.request import Prefix
from axolotl_augft.teacher.teacher import Teacher
from axolotl_augft.text.sentences import split_at_sentences

VARIABLES = {
    "kinds": "the kinds of statements asked for: rephrasing, reversal, consequence",
    "examples": "worked examples, each with context, text, statements (kind, text); "
    "for questions also answer, and a statement's question",
    "opening": "the sentences before that say who 'it' and 'she' are, or none",
    "sentences": "the sentences asked about; none for an exchange",
    "exchange": "the question and answer asked about, with the turns before and the system prompt; none for a document",
    "structured": "whether the answer is to be JSON",
}
_MARGIN = 64
_KEPT_PREFIXES = 1024


@dataclass(frozen=True)
class Unit:
    """What one request is about: consecutive sentences of a document, the first of them number `start`, or its exchange."""

    document: Document
    sentences: tuple[str, ...] = ()
    start: int = 0
    opening: str = ""

    @property
    def exchange(self) -> Exchange | None:
        """The document's question and answer, if it is no plain text."""
        return self.document.exchange

    @property
    def premises(self) -> tuple[str, ...]:
        """The texts that what is written must follow from."""
        if self.exchange:
            return (self.document.text, self.exchange.system) if self.exchange.system else (self.document.text,)
        return (self.opening, *self.sentences) if self.opening else self.sentences

    @property
    def digest(self) -> bytes:
        """Of everything that is asked about: equal units make equal requests."""
        parts = (self.document.text, self.exchange.system) if self.exchange else (self.opening, *self.sentences)
        return hashlib.sha256("\0".join(parts).encode()).digest()


@dataclass(frozen=True)
class Prompt:
    """A rendered prompt. `prefix`: instructions and worked examples, which other prompts may share."""

    prefix: Prefix
    target: str


class LocalPrompts:
    """The prompts of one form.

    Args:
        entry: The settings.
        teacher: Who is asked.
        form: What is asked for.
    """

    def __init__(self, entry: LocalAugment, teacher: Teacher, form: Form) -> None:
        self._entry = entry
        self._teacher = teacher
        self._form = form
        self._template = load_local_prompt(entry, teacher.api, form)
        self._sentence_template = _sentence_prompt(entry, teacher.api, form) or self._template
        self._systems = {t.name: t.render("system") for t in (self._template, self._sentence_template)}
        self._prefixes: dict[tuple[str, ...], Prefix] = {}

    def prompts(self, units: Sequence[Unit]) -> Iterator[Prompt]:
        """The prompts of units, in their order."""
        asked = [(u.exchange.question,) if u.exchange else u.sentences for u in units]
        for unit, examples in zip(units, self._chooser.choose_all(asked), strict=True):
            yield self._prompt(unit, examples)

    def _prompt(self, unit: Unit, examples: tuple[Example, ...]) -> Prompt:
        template = self._sentence_template if len(unit.sentences) == 1 else self._template
        exchange = unit.exchange
        prefix = self._prefix(template, examples)
        if exchange:
            exchange = self._fitting(exchange, prefix)
        values = {"opening": unit.opening, "sentences": unit.sentences, "exchange": exchange}
        return Prompt(prefix, self._render(template, "target", **values))

    @cached_property
    def _chooser(self) -> Chooser:
        pool = with_kinds(load_pool(self._entry.examples, self._form), self._entry.kinds)
        count = self._entry.num_examples
        return FittingExamples(pool, count) if self._entry.example_choice == "fitting" else FixedExamples(pool, count)

    def _render(self, template: PromptTemplate, block: str, **values: Any) -> str:
        return template.render(block, kinds=self._entry.kinds, structured=self._teacher.structured, **values)

    def _prefix(self, template: PromptTemplate, examples: tuple[Example, ...]) -> Prefix:
        """The prefix with these examples; the last so many are kept."""
        key = (template.name, *[e.id for e in examples])
        prefix = self._prefixes.get(key)
        if prefix is None:
            text = self._render(template, "prefix", examples=examples)
            prefix = self._prefixes[key] = Prefix(self._systems[template.name], text)
            if len(self._prefixes) > _KEPT_PREFIXES:
                del self._prefixes[next(iter(self._prefixes))]
        return prefix

    def _fitting(self, exchange: Exchange, prefix: Prefix) -> Exchange:
        """The exchange as far as the teacher's context has room for it: without earlier turns, then with the beginning of its answer."""
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
    """The entry's prompt, its own or the package's."""
    return load_prompt(
        f"local.{api}.jinja" if form == "statements" else f"local-{form}.{api}.jinja", entry.prompt, VARIABLES
    )


def _sentence_prompt(entry: LocalAugment, api: str, form: Form) -> PromptTemplate | None:
    """The package's plainest prompt, for one sentence and one kind: without labels small models copy names and relations far better."""
    if api != "completions" or len(entry.kinds) > 1 or entry.prompt or form != "statements":
        return None
    return load_prompt("sentence.completions.jinja", None, VARIABLES)


def form_of(document: Document, write: str | None) -> Form:
    """What is asked for about a document."""
    if document.exchange:
        return "exchanges"
    return "questions" if write == "questions" else "statements"


def opening(sentences: Sequence[str], start: int) -> str:
    """The document's first sentence and the one before the unit: "it" and "she" stand for something named in one of them."""
    return " ".join(dict.fromkeys((sentences[0], sentences[start - 1]))) if start else ""
