"""Source with a `weight` below 1 -> the same source, with the rows beyond that share marked as left out.

`weight` exists in axolotl 0.20 and later. Axolotl itself subsamples while tokenizing, after the stage, so the teacher
would mostly write about rows that are never trained on. The stage therefore takes the share here, before the hold-out,
just as axolotl takes it before its own `val_set_size`. It keeps as many rows as axolotl would, chosen in the order in
which the hold-out chooses them, so that a larger weight keeps all rows of a smaller one.
"""

from array import array
from dataclasses import replace

import numpy as np

from axolotl_augft.sources.hold_out import ranked_rows
from axolotl_augft.sources.source import RowProblem, Source


def take_share(source: Source, weight: float, seed: int) -> Source:
    """Mark the rows of a source that are beyond its share; at least one row is kept.

    Args:
        source: The source as loaded.
        weight: Share of the rows to keep, above 0 and at most 1.
        seed: Seed of the choice.
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
