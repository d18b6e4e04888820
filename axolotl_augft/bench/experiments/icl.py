"""Documents -> the context of in-context learning: as many as fit a token budget, the same for every question (paper, evaluation).

Where it is known which facts a document states, one document of each fact is taken before a second one of any, facts on
what is asked first: the budget then holds as much of what the questions need as it can. Otherwise the documents are
drawn evenly.
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
    """The text before every prompt, its tokens, and how many documents it holds."""

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
    """The documents that stand before every question, in the order of the data set.

    Args:
        documents: All training documents.
        stated: Which documents state which fact; empty where that is not known.
        questions: What is asked.
        budget: Most tokens of the context.
        seed: Of the draw.
        tokens: The student's tokenizer.

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


def window_left(model: str, questions: Sequence[Question], tokens: TokenCounter) -> int | None:
    """Tokens that a model's context leaves beside the longest question with its choice; None if its length is not known."""
    from transformers import AutoConfig

    length = getattr(AutoConfig.from_pretrained(model), "max_position_embeddings", None)
    if not isinstance(length, int):
        return None
    longest = max(tokens.count(f"\n\n{q.prompt} {choice}") for q in questions for choice in q.choices)
    # The first token that some tokenizers put in front, and one that may come of joining.
    return length - longest - 2


def _in_order_of_use(count: int, stated: Sequence[Stated], questions: Sequence[Question], seed: int) -> Iterator[int]:
    """Every document once, the most useful first."""
    draw = random.Random(seed)
    others = draw.sample(range(count), count)
    asked = {argument for q in questions if q.fact for argument in q.fact.arguments}
    facts = draw.sample(list(stated), len(stated))
    facts.sort(key=lambda s: asked.isdisjoint(s.fact.arguments))
    rounds = zip_longest(*(draw.sample(s.documents, len(s.documents)) for s in facts))
    by_fact = [i for one_each in rounds for i in one_each if i is not None]
    yield from dict.fromkeys([*by_fact, *others])


def drawn_questions(questions: Sequence[Question], most: int | None, seed: int) -> tuple[Question, ...]:
    """At most `most` questions, drawn evenly over the splits, in their order."""
    if most is None or most >= len(questions):
        return tuple(questions)
    draw = random.Random(seed)
    by_split: dict[str, list[int]] = defaultdict(list)
    for i, question in enumerate(questions):
        by_split[question.split].append(i)
    shuffled = [draw.sample(indices, len(indices)) for indices in by_split.values()]
    evenly = [i for one_each in zip_longest(*shuffled) for i in one_each if i is not None]
    return tuple(questions[i] for i in sorted(evenly[:most]))
