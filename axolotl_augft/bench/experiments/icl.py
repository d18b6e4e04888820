"""Documents -> the context for in-context learning: as many as fit a token budget, the same for every question.

If the facts that documents state are known, one document per fact is taken before a second one of any fact, starting
with facts about what is asked, so that the budget holds as much relevant knowledge as possible. Otherwise the documents
are drawn at random (paper, evaluation).
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from axolotl_augft.bench.datasets.dataset import Question, Stated
from axolotl_augft.errors import BenchError
from axolotl_augft.text.tokens import TokenCounter


@dataclass(frozen=True)
class Context:
    """The text before every prompt, its length in tokens, and its number of documents."""

    text: str
    tokens: int
    documents: int


def build_context(
    documents: Sequence[str],
    stated: Sequence[Stated],
    questions: Sequence[Question],
    budget: int,
    seed: int,
    tokens: TokenCounter,
) -> Context:
    """Choose the documents that precede every question, and join them in the order of the data set.

    Args:
        documents: All training documents.
        stated: Facts with the documents that state them; empty if unknown.
        questions: The questions asked.
        budget: Maximum number of tokens.
        seed: Seed of the random draw.
        tokens: Counts tokens with the student's tokenizer.

    Raises:
        BenchError: Not a single document fits.
    """
    chosen: list[int] = []
    used: set[str] = set()
    room = budget
    for i in _in_order_of_use(len(documents), stated, questions, seed):
        size = tokens.count(documents[i] + "\n")
        if size <= room and documents[i] not in used:
            chosen.append(i)
            used.add(documents[i])
            room -= size
    if not chosen:
        raise BenchError(
            f"icl.context_tokens: no document fits into {budget} tokens; raise it, or leave out the condition icl"
        )
    text = "\n".join(documents[i] for i in sorted(chosen))
    return Context(text, tokens.count(text), len(chosen))


def window_left(
    model: str, questions: Sequence[Question], tokens: TokenCounter, answer_tokens: int | None = None
) -> int | None:
    """Tokens of the model's window left beside the longest question and choice; None if the window is unknown.

    Args:
        model: The student.
        questions: The questions asked.
        tokens: Counts tokens with the student's tokenizer.
        answer_tokens: Longest answer that the student may write.
    """
    from transformers import AutoConfig

    length = getattr(AutoConfig.from_pretrained(model), "max_position_embeddings", None)
    if not isinstance(length, int):
        return None
    longest = max(tokens.count(f"\n\n{q.prompt} {choice}") for q in questions for choice in q.choices)
    # Two more: a BOS token that some tokenizers prepend, and one that tokenizing the joined text may add.
    return length - longest - (answer_tokens or 0) - 2


def _in_order_of_use(count: int, stated: Sequence[Stated], questions: Sequence[Question], seed: int) -> Iterator[int]:
    """Yield every document once, the most useful ones first."""
    draw = random.Random(seed)
    others = draw.sample(range(count), count)
    asked = {argument for q in questions if q.fact for argument in q.fact.arguments}
    facts = draw.sample(list(stated), len(stated))
    facts.sort(key=lambda s: asked.isdisjoint(s.fact.arguments))
    rounds = zip_longest(*(draw.sample(s.documents, len(s.documents)) for s in facts))
    by_fact = [i for one_each in rounds for i in one_each if i is not None]
    yield from dict.fromkeys([*by_fact, *others])


def drawn_questions(questions: Sequence[Question], most: int | None, seed: int) -> tuple[Question, ...]:
    """Draw at most `most` questions, spread evenly over the splits, and keep their order."""
    if most is None or most >= len(questions):
        return tuple(questions)
    draw = random.Random(seed)
    by_split: dict[str, list[int]] = defaultdict(list)
    for i, question in enumerate(questions):
        by_split[question.split].append(i)
    shuffled = [draw.sample(indices, len(indices)) for indices in by_split.values()]
    evenly = [i for one_each in zip_longest(*shuffled) for i in one_each if i is not None]
    return tuple(questions[i] for i in sorted(evenly[:most]))
