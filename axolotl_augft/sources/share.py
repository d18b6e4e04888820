"""Which rows of an entry are used at all, where its `weight` (axolotl 0.20 and later) asks for a part of them.

Axolotl subsamples when it tokenizes, after the stage: most of what a teacher wrote would belong to rows that nobody
trains on. So the share is taken here, before the hold-out, as axolotl takes it before its own `val_set_size`: as many
rows, chosen by the order in which the hold-out takes them. A larger weight keeps the rows of a smaller one.
"""

from array import array
from dataclasses import replace

import numpy as np

from axolotl_augft.sources.hold_out import ranked_rows
from axolotl_augft.sources.source import RowProblem, Source


def take_share(source: Source, weight: float, seed: int) -> Source:
    """The source without the rows that are beyond its share.

    Args:
        source: One entry, as loaded.
        weight: Share of its rows, above 0 and at most 1.
        seed: The recipe's.
    """
    wanted = max(1, int(len(source.rows) * weight))
    if wanted >= len(source.rows):
        return source
    rows = ranked_rows(source, 0, seed, set())
    beyond = np.sort(rows["row"][np.argsort(rows["rank"], kind="stable")[wanted:]])
    problems = (_within(problem, set(beyond.tolist())) for problem in source.problems)
    return replace(source, beyond_share=array("q", beyond.tolist()), problems=tuple(p for p in problems if p.rows))


def _within(problem: RowProblem, beyond: set[int]) -> RowProblem:
    return replace(problem, rows=tuple(row for row in problem.rows if row not in beyond))
