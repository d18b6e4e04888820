"""Judged inferences of one document -> those that are written: at most `max_augmented_per_original`, chosen by content."""

import hashlib
from collections.abc import Sequence

from axolotl_augft.judging.rules import Judged


def cap(kept: Sequence[Judged], most: int | None, seed: int) -> list[Judged]:
    """The statements that stay, in their order.

    The choice takes turns among strategies, within one by a digest of seed and text, so that it is the same in every run and neither
    strategy crowds out the other.

    Args:
        kept: The accepted statements of one document.
        most: How many may stay; None for all.
        seed: The recipe's seed.
    """
    if most is None or len(kept) <= most:
        return list(kept)
    by_strategy: dict[str, list[Judged]] = {}
    for judged in sorted(kept, key=lambda j: hashlib.sha256(f"{seed}\0{j.inference.whole}".encode()).digest()):
        by_strategy.setdefault(judged.task.strategy, []).append(judged)
    turns = sorted((turn, name) for name, group in by_strategy.items() for turn in range(len(group)))
    chosen = {id(by_strategy[name][turn]) for turn, name in turns[:most]}
    return [j for j in kept if id(j) in chosen]
