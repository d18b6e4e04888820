"""Context groups -> the share of test facts that follow from a single group: an upper bound for global augmentation.

Needs no model: the groups are the stage's own, and the data set's rules tell what follows.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from axolotl_augft.bench.datasets.dataset import BenchData
from axolotl_augft.bench.datasets.facts import Fact, closure
from axolotl_augft.config.augment import GlobalAugment
from axolotl_augft.config.teacher import TeacherConfig
from axolotl_augft.errors import BenchError
from axolotl_augft.sources.documents import Document, document_id
from axolotl_augft.store.groupings import Pass
from axolotl_augft.strategies.global_ import GlobalStrategy
from axolotl_augft.teacher.teacher import Teacher
from axolotl_augft.text.tokens import ESTIMATE, TokenCounter, token_counter

Groups = list[tuple[int, ...]]
ALL = "all"


@dataclass(frozen=True, slots=True)
class Reach:
    """Distinct test facts that follow from at least one context group.

    Attributes:
        split: A split of the questions, or `all`.
        reached: Number of facts that follow.
        facts: Number of distinct test facts of the split.
    """

    split: str
    reached: int
    facts: int

    @property
    def share(self) -> float:
        """Share of the facts that follow."""
        return self.reached / self.facts


def reach(groups: Iterable[Sequence[int]], data: BenchData) -> list[Reach]:
    """Find the test facts that follow from the documents of one group, the rules and the background facts.

    Args:
        groups: Context groups, as document numbers.
        data: The data set.

    Raises:
        BenchError: No question names the fact that it asks for.
    """
    wanted = _wanted(data)
    stated = _stated(data)
    reached: set[Fact] = set()
    for group in groups:
        facts = {fact for document in group for fact in stated[document]}
        reached |= wanted[ALL] & closure([*facts, *data.background], data.rules)
    return [Reach(split, len(facts & reached), len(facts)) for split, facts in wanted.items()]


def related_groups(data: BenchData, tokens: TokenCounter, context_tokens: int, passes: int) -> list[Groups]:
    """Group the documents as the stage does; one list of groups per pass.

    Raises:
        BenchError: A document is longer than `context_tokens`.
    """
    documents = _documents(data)
    memory = _Memory()
    entry = GlobalAugment(context_tokens=context_tokens, passes=passes)
    strategy = GlobalStrategy(entry, _never_asked(tokens), documents, "en", memory, "")
    if strategy.cut:
        raise BenchError(
            f"{strategy.cut} documents are longer than {context_tokens} tokens and would be cut; raise --context-tokens"
        )
    next(strategy.tasks())
    rows = {d.id: d.row for d in documents}
    return [[tuple(rows[d] for d in group) for group in one] for one in memory.passes]


def random_groups(
    data: BenchData, tokens: TokenCounter, context_tokens: int, passes: int, seed: int = 0
) -> list[Groups]:
    """Group the documents at random, with as many tokens per group: the baseline for `related_groups`."""
    generator = random.Random(seed)
    documents = _documents(data)
    sizes = {d.row: tokens.count(f"[{d.id}] {d.text}\n") for d in documents}
    passes_of_groups = []
    for _ in range(passes):
        groups: list[list[int]] = [[]]
        room = context_tokens
        for row in generator.sample(sorted(sizes), len(sizes)):
            if sizes[row] > room:
                groups.append([])
                room = context_tokens
            groups[-1].append(row)
            room -= sizes[row]
        passes_of_groups.append([tuple(g) for g in groups])
    return passes_of_groups


def reach_lines(data: BenchData, context_tokens: int, passes: int, tokenizer: Path | None = None) -> list[str]:
    """Format reach by split as a Markdown table, for related and random groups and for each number of passes.

    Raises:
        BenchError: A document is longer than `context_tokens`, no question names its fact, or the tokenizer's folder
            holds no `tokenizer.json`.
    """
    tokens = _counter(tokenizer)
    related = related_groups(data, tokens, context_tokens, passes)
    chance = random_groups(data, tokens, context_tokens, passes, data.seed)
    columns = {
        f"{name}, {_passes(n)}": made[:n]
        for n in range(1, passes + 1)
        for name, made in (("related", related), ("random", chance))
    }
    found = {title: reach([g for one in some for g in one], data) for title, some in columns.items()}
    size = f"{context_tokens:,} tokens{'' if tokens.exact else ' (estimated as bytes / 4)'}"
    rows = zip(*found.values(), strict=True)
    return [
        f"{data.name} ({data.scale}): {len(data.documents):,} documents, {len(related[0]):,} groups of {size}",
        "",
        f"| split | test facts | {' | '.join(columns)} |",
        "|---|---|" + "---|" * len(columns),
        *(f"| {row[0].split} | {row[0].facts:,} | {' | '.join(f'{r.share:.3f}' for r in row)} |" for row in rows),
    ]


class _Memory:
    """A grouping memory that lasts for one grouping."""

    def __init__(self) -> None:
        self.passes: list[Pass] = []

    def load_grouping(self, key: str) -> list[Pass]:
        """Return no passes, as nothing was grouped before."""
        return []

    def save_grouping(self, key: str, passes: list[Pass]) -> None:
        """Keep the passes."""
        self.passes = passes


def _never_asked(tokens: TokenCounter) -> Teacher:
    """Return a teacher for grouping, which uses nothing but its token counts."""
    return Teacher(TeacherConfig(), "endpoint", "none", "none", "completions", 1, tokens, None, 0)


def _counter(tokenizer: Path | None) -> TokenCounter:
    if tokenizer is None:
        return ESTIMATE
    counter = token_counter(str(tokenizer))
    if not counter.exact:
        raise BenchError(
            f"{tokenizer}: holds no tokenizer.json; give the folder of a model, or leave --tokenizer out for an "
            f"estimate"
        )
    return counter


def _documents(data: BenchData) -> list[Document]:
    """Distinct texts as documents, as the stage sees them."""
    rows = {text: i for i, text in reversed(list(enumerate(data.documents)))}
    return [Document(document_id(text), text, 0, i) for i, text in enumerate(data.documents) if rows[text] == i]


def _stated(data: BenchData) -> list[set[Fact]]:
    """Facts that each document states."""
    facts: list[set[Fact]] = [set() for _ in data.documents]
    for stated in data.stated:
        for document in stated.documents:
            facts[document].add(stated.fact)
    return facts


def _wanted(data: BenchData) -> dict[str, set[Fact]]:
    """Distinct test facts by split, in the order of the questions, with `all` last."""
    wanted: dict[str, set[Fact]] = {}
    for question in data.questions:
        if question.fact is not None:
            wanted.setdefault(question.split, set()).add(question.fact)
    if not wanted:
        raise BenchError(
            f"{data.name}: no question names the fact it asks for, so reach is unknown; make the data set again"
        )
    return {**wanted, ALL: set().union(*wanted.values())}


def _passes(count: int) -> str:
    return f"{count} pass" + ("es" if count > 1 else "")
