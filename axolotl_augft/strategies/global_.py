"""Documents -> tasks for global augmentation: what follows from one document together with others (paper, global).

Each task shows the teacher a context group and asks about one of its documents, the target. The answer is a reasoning
trace that ends in conclusions.
"""

import hashlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Protocol, get_args

import orjson

from axolotl_augft.batched import batched
from axolotl_augft.config.augment import GlobalAugment
from axolotl_augft.errors import ConfigError
from axolotl_augft.files.made_once import MadeOnce
from axolotl_augft.formats import Writes
from axolotl_augft.sources.documents import Document, document_id
from axolotl_augft.sources.sized_file import Sized, SizedFile
from axolotl_augft.store.groupings import Group, Pass
from axolotl_augft.strategies.answer_schema import response_format
from axolotl_augft.strategies.grouping import regroup
from axolotl_augft.strategies.instructions import DATA, Instructions, instructions_of
from axolotl_augft.strategies.task import Reading, Task
from axolotl_augft.strategies.templates import PromptTemplate, load_prompt
from axolotl_augft.teacher.request import Prefix
from axolotl_augft.teacher.teacher import Teacher
from axolotl_augft.text.directives import without_directives
from axolotl_augft.text.sentences import split_at_sentences

VARIABLES = {
    "documents": "the documents of the context group, each with id and text",
    "target": "the document asked about, with id and text",
    "structured": "whether the answer, if it is questions, is to be JSON",
}
_CONCLUSION = "conclusion"
_SMALLEST_BUDGET = 64
# Of prefixes and premises in memory. The others are read again: a tenth of a millisecond, where making takes several.
_KEPT_BYTES = 1 << 26


class GroupMemory(Protocol):
    """Storage that keeps groupings between runs."""

    def load_grouping(self, key: str) -> list[Pass]:
        """Load the passes saved under `key`; an empty list if there are none."""

    def save_grouping(self, key: str, passes: list[Pass]) -> None:
        """Save passes under `key`, replacing older ones."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """A context group, and whether the requests that show it ask for statements or questions."""

    writes: Writes
    group: Group


@dataclass(frozen=True, slots=True)
class _GroupPrefix:
    """What all requests of a context group share: the prompt's prefix, and the documents in it.

    Attributes:
        prefix: The prefix.
        labels: The ids of the documents.
        premises: Their texts, in the same order.
    """

    prefix: Prefix
    labels: tuple[str, ...]
    premises: tuple[str, ...]

    def dumped(self) -> bytes:
        """Return it as JSON."""
        return orjson.dumps([self.prefix.system, self.prefix.text, self.labels, self.premises])

    @classmethod
    def load(cls, record: bytes) -> "_GroupPrefix":
        """Read it from its JSON."""
        system, text, labels, premises = orjson.loads(record)
        return cls(Prefix(system, text), tuple(labels), tuple(premises))


class GlobalStrategy:
    """Makes the tasks of a `strategy: global` entry.

    Args:
        entry: The settings of the entry.
        teacher: The teacher model.
        documents: The documents to augment; iterated once.
        language: ISO 639 code, used to cut long documents at sentence ends.
        memory: Storage for groupings.
        memory_key: Key under which this entry's groupings are stored.
    """

    def __init__(
        self,
        entry: GlobalAugment,
        teacher: Teacher,
        documents: Iterable[Document],
        language: str,
        memory: GroupMemory,
        memory_key: str,
    ) -> None:
        self.settings = entry
        self._teacher = teacher
        self._source = documents
        self._language = language
        self._memory = memory
        self._memory_key = memory_key
        self._prefixes = MadeOnce[_Shown, _GroupPrefix](_GroupPrefix.dumped, _GroupPrefix.load, _KEPT_BYTES)
        self._templates = {writes: load_global_prompt(entry, teacher.api, writes) for writes in get_args(Writes)}
        self._reading = Reading(ends_in_conclusions=True, keep=entry.keep, keep_reasoning=entry.keep_reasoning)

    def tasks(self) -> Iterator[Task]:
        """Yield the tasks document by document; for each document, in the order of the passes."""
        homes = [self._homes(one) for one in self._passes]
        for number, document in enumerate(self._sized):
            own = (groups[home[number]] for groups, home in zip(self._passes, homes, strict=True))
            for group in dict.fromkeys(own):
                yield from self._target_tasks(document, group)

    def in_sending_order(self) -> Iterator[Task]:
        """Yield the tasks group by group, because the requests of a group share their prefix."""
        for group in self.groups:
            for d in group:
                yield from self._target_tasks(self._document(d), group)

    @property
    def groups(self) -> list[Group]:
        """The distinct context groups of all passes."""
        return list(dict.fromkeys(group for one in self._passes for group in one))

    def scope(self, units: int) -> str:
        """Describe the number of targets and of context groups."""
        return f"{units:,} targets in {len(self.groups):,} context groups"

    def warnings(self) -> Iterator[str]:
        """Warn if documents are cut to fit into a prompt."""
        if self.cut:
            yield f"{self.cut} documents above {self._budget} tokens are cut at sentence ends"

    @cached_property
    def cut(self) -> int:
        """The number of documents that are cut to fit into a prompt."""
        return sum(tokens > self._budget for tokens in self._measured.tokens)

    @cached_property
    def _measured(self) -> SizedFile:
        """The documents as they are, read and counted once."""
        return SizedFile(sized for some in batched(self._source) for sized in self._sizes(some))

    @cached_property
    def _budget(self) -> int:
        """Most tokens of documents in one prompt.

        This is the setting, or less if the model's context leaves less room beside instructions, target and answer.
        """
        asked = self.settings.context_tokens or self.settings.default_context_tokens
        if self._teacher.context_length is None:
            return asked
        instructions = max(self._teacher.tokens.count(self._instructions(writes)) for writes in self._written)
        free = self._teacher.context_length - self._teacher.max_tokens(self.settings) - instructions - 64
        longest = max(self._measured.tokens, default=0)
        # Rounded up to a power of two, so that the room does not change with every edit of the longest document.
        left = max(free - (1 << longest.bit_length()), free // 2)
        if left < _SMALLEST_BUDGET:
            raise ConfigError(
                f"augft.augment (global): the teacher's context of {self._teacher.context_length} tokens leaves no "
                f"room for documents beside an answer of {self._teacher.max_tokens(self.settings)} tokens; lower "
                f"max_tokens, or use a teacher with a longer context"
            )
        return min(asked, left)

    def _writes(self, document: Document) -> tuple[Writes, ...]:
        return ("questions",) if document.exchange else self.settings.written

    @cached_property
    def _written(self) -> set[Writes]:
        return {writes for document in self._measured for writes in self._writes(document)} or {"statements"}

    def _instructions(self, writes: Writes) -> str:
        template = self._templates[writes]
        target = template.render("target", target=_EMPTY, structured=self._teacher.structured)
        return template.render("system") + template.render("prefix", documents=()) + target

    @cached_property
    def _said(self) -> dict[Writes, Instructions]:
        """The instructions of the prompts."""
        document = {"id": DATA, "text": DATA}
        values = {"documents": [document], "target": document, "structured": self._teacher.structured}
        return {writes: instructions_of(template, values) for writes, template in self._templates.items()}

    @cached_property
    def _sized(self) -> SizedFile:
        """The documents with their sizes; those above the budget are cut into several at sentence ends."""
        whole = self._measured
        if len(set(whole.ids)) == len(whole) and not any(map(self._may_be_cut, whole.tokens)):
            return whole
        parts, numbers = SizedFile(), dict[str, int]()
        for part in (part for sized in whole.sized() for part in self._parts(sized)):
            same = numbers.setdefault(part.document.id, len(parts))
            if same == len(parts):
                parts.add(part)
            elif parts[same].text != part.document.text:
                # Two texts share a short id: the later one gets a longer id.
                longer = replace(part.document, id=hashlib.sha256(part.document.text.encode()).hexdigest()[:16])
                if numbers.setdefault(longer.id, len(parts)) == len(parts):
                    parts.add(*self._sizes([longer]))
        return parts

    def _may_be_cut(self, tokens: int) -> bool:
        # What is far from the limit is not counted again.
        return tokens > self._budget // 2

    def _parts(self, whole: Sized) -> list[Sized]:
        if not self._may_be_cut(whole.tokens):
            return [whole]
        d = whole.document
        limit = self._budget - self._sizes([Document(d.id, "", d.entry, d.row)])[0].tokens
        texts = split_at_sentences(d.text, limit, self._teacher.tokens.count, self._language)
        return self._sizes([d if t == d.text else replace(d, id=document_id(t), text=t) for t in texts])

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self._sized.ids)}

    def _document(self, name: str) -> Document:
        return self._sized[self._numbers[name]]

    def _homes(self, groups: Pass) -> "array[int]":
        """Return the position of each document's group."""
        homes = array("i", bytes(4 * len(self._sized)))
        for position, group in enumerate(groups):
            for name in group:
                homes[self._numbers[name]] = position
        return homes

    @cached_property
    def _passes(self) -> list[Pass]:
        key = f"{self._memory_key}|{self._budget}|{self._teacher.id}|{self._teacher.tokens.exact}"
        remembered = self._memory.load_grouping(key)
        passes = regroup(self._sized, self._budget, self.settings.passes, remembered)
        if passes != remembered:
            self._memory.save_grouping(key, passes)
        return passes

    def _sizes(self, documents: Sequence[Document]) -> list[Sized]:
        counts = self._teacher.tokens.count_all([f"[{d.id}] {d.text}\n" for d in documents])
        return [Sized(d, tokens) for d, tokens in zip(documents, counts, strict=True)]

    def _prefix(self, about: _Shown) -> _GroupPrefix:
        """Render what the requests of a group share."""
        documents = [d for d in map(self._as_context, about.group) if d.text]
        template = self._templates[about.writes]
        prefix = Prefix(template.render("system"), template.render("prefix", documents=documents))
        return _GroupPrefix(prefix, tuple(d.id for d in documents), tuple(d.text for d in documents))

    def _as_context(self, document_id: str) -> Document:
        """Return a document as requests about others show it: without what reads as an instruction to a model.

        So no such passage can reach what the teacher writes about another document.
        """
        document = self._document(document_id)
        if document.exchange:
            return document
        return replace(document, text=without_directives(document.text, self._language))

    def _target_tasks(self, document: Document, group: Group) -> Iterator[Task]:
        for writes in self._writes(document):
            yield from self._tasks_that_write(writes, document, group)

    def _tasks_that_write(self, writes: Writes, document: Document, group: Group) -> Iterator[Task]:
        asks = self._teacher.structured
        about = _Shown(writes, group)
        shared = self._prefixes.get(about, partial(self._prefix, about))
        own = () if document.text in shared.premises else (document.text,)
        # A document that is nothing but instructions is not shown among the others.
        labels = shared.labels if document.id in shared.labels else (*shared.labels, document.id)
        target = self._templates[writes].render("target", target=document, structured=asks)
        extra = response_format([_CONCLUSION]) if writes == "questions" and asks else None
        longest, stop = self._teacher.max_tokens(self.settings), self._teacher.stop(self.settings)
        keep = self.settings.keep_reasoning and writes == "statements"
        for sample in range(self.settings.samples):
            request = self._teacher.request(shared.prefix, target, longest, stop, sample, extra, keep)
            kind = _CONCLUSION if writes == "questions" else "statement"
            yield Task(
                request,
                "global",
                document,
                (*shared.premises, *own) if own else shared.premises,
                labels=labels,
                kind=kind,
                writes=writes,
                reading=self._reading,
                instructions=self._said[writes],
                question_form=self.settings.question_form,
            )


def load_global_prompt(entry: GlobalAugment, api: str, writes: Writes = "statements") -> PromptTemplate:
    """Load the entry's own prompt template, or the package's if it has none.

    Raises:
        ConfigError: The template is missing or invalid.
    """
    return load_prompt(
        f"global.{api}.jinja" if writes == "statements" else f"global-{writes}.{api}.jinja", entry.prompt, VARIABLES
    )


_EMPTY = Document("00000000", "", 0, 0)
