"""The accepted statements of a source row -> those that become training rows (`max_augmented_per_original`)."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from axolotl_augft.judging.rules import Judged
from axolotl_augft.verifying.coverage import sentence_of


def choose_statements(kept: Sequence[Judged], most: int | None, seed: int) -> list[Judged]:
    """Choose at most `most` of the accepted statements of one source row, in their order.

    The strategies take turns, so that neither crowds out the other. Within a strategy, so do its kinds of statements
    about each sentence, each beginning with the statement that is most probably true. Without probabilities a digest
    of seed and text decides, so that the choice is the same in every run. All that a person brought in are chosen.

    Args:
        kept: The accepted statements.
        most: How many to keep; None for all.
        seed: The recipe's seed.
    """
    if most is None or len(kept) <= most:
        return list(kept)
    chosen = {id(j) for j in kept if j.brought_in}
    others = [j for j in kept if not j.brought_in]
    best_first = sorted(others, key=lambda j: (-(j.probability or 0), _drawn(seed, j.inference.full_text)))
    by_strategy: dict[str, list[Judged]] = {}
    for _, judged in sorted(_in_turns(best_first), key=lambda turn: turn[0]):
        by_strategy.setdefault(judged.task.strategy, []).append(judged)
    turns = sorted((turn, name) for name, group in by_strategy.items() for turn in range(len(group)))
    chosen.update(id(by_strategy[name][turn]) for turn, name in turns[: max(0, most - len(chosen))])
    return [j for j in kept if id(j) in chosen]


def _in_turns(judged: Iterable[Judged]) -> Iterator[tuple[int, Judged]]:
    """Number the statements of each kind about each sentence, from 0."""
    seen: Counter[tuple[str, str, int | None]] = Counter()
    for j in judged:
        cell = (j.task.strategy, j.inference.kind, sentence_of(j))
        yield seen[cell], j
        seen[cell] += 1


def _drawn(seed: int, text: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{text}".encode()).digest()
