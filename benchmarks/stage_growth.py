"""What a run of some size took, and how cost grows -> the stage beside its teacher, from 10^3 to 10^8 documents.

`cost_growth.py` inserts the table into a page. What the stage takes comes from `million.py`: of two measured sizes, the
difference says what each further document takes, about each of which one request is sent, and the smaller one what a
run takes whatever its size. A teacher's hours are those of servers of one's own, with a prefix cache.
"""

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

CLUSTER = (1, 8, 64)
"""Numbers of GPUs, each with a server as fast as the one that is assumed."""
_HEADS = (
    "documents",
    "strategy",
    "requests",
    *(f"teacher, {n} GPU{'s' if n > 1 else ''}" for n in CLUSTER),
    "stage: asking",
    "stage: writing",
    "memory",
    "disk",
)
_HOUR = 3600.0


@dataclass(frozen=True)
class Asked:
    """The requests of one strategy about a number of documents.

    Attributes:
        strategy: The strategy.
        documents: Number of documents.
        requests: Number of requests.
        hours: Hours of one server with a prefix cache.
    """

    strategy: str
    documents: int
    requests: float
    hours: float


@dataclass(frozen=True)
class Line:
    """A straight line through what two sizes took; what a run of no documents takes is not below 0."""

    fixed: float
    each: float

    @classmethod
    def through(cls, sizes: tuple[int, int], values: tuple[float, float]) -> "Line":
        """Draw it through two points."""
        each = max(0.0, (values[1] - values[0]) / (sizes[1] - sizes[0]))
        return cls(max(0.0, values[0] - each * sizes[0]), each)

    def at(self, size: float) -> float:
        """Return its value for a size."""
        return self.fixed + self.each * size


@dataclass(frozen=True)
class StageCost:
    """What the stage takes for a number of requests.

    Attributes:
        asking: Processor seconds, by the number of requests, before and while requests are sent, with one interruption.
        writing: Processor seconds to judge the answers and write the result.
        memory_mb: Most memory, in MB, by the number of documents.
        disk_mb: Store, result and temporary files, in MB.
        largest: The largest size that was measured, in documents and requests.
    """

    asking: Line
    writing: Line
    memory_mb: Line
    disk_mb: Line
    largest: int


def stage_cost(file: Path, strategy: str) -> StageCost:
    """Read what the smallest and the largest size in a file of `million.py` took.

    Raises:
        ValueError: The file holds fewer than two sizes of the strategy.
    """
    with file.open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["strategy"] == strategy]
    sizes = sorted({int(row["documents"]) for row in rows})
    if len(sizes) < 2:
        raise ValueError(f"{file}: holds {len(sizes)} of the two sizes of {strategy} that are needed; run million.py")
    ends = sizes[0], sizes[-1]

    def line(value: Callable[[list[dict[str, str]]], float]) -> Line:
        small, large = (value([row for row in rows if int(row["documents"]) == size]) for size in ends)
        return Line.through(ends, (small, large))

    return StageCost(
        asking=line(lambda steps: _seconds(steps, ("laying out", "asking"))),
        writing=line(lambda steps: _seconds(steps, ("writing",))),
        memory_mb=line(lambda steps: max(float(step["memory_mb"]) for step in steps)),
        disk_mb=line(lambda steps: max(float(step["disk_mb"]) for step in steps)),
        largest=ends[-1],
    )


def _seconds(steps: Iterable[dict[str, str]], doing: tuple[str, ...]) -> float:
    """Sum up the processor seconds of the interrupted run and of the one that resumed it."""
    runs = ("run, killed halfway", "resumed run")
    names = {f"{run}: {what}" for run in runs for what in doing}
    return sum(float(step["cpu_seconds"]) for step in steps if step["step"] in names)


def stage_table(asked: Iterable[Asked], cost: Callable[[str], StageCost]) -> list[str]:
    """Format the teacher's hours and what the stage takes, as a Markdown table.

    Args:
        asked: The requests at all sizes.
        cost: What the stage takes, by strategy.
    """
    lines = [f"| {' | '.join(_HEADS)} |", f"|---:|---|{'---:|' * (len(_HEADS) - 2)}"]
    for one in asked:
        stage = cost(one.strategy)
        asking, sending = stage.asking.at(one.requests) / _HOUR, stage.asking.each * one.requests / _HOUR
        cells = [
            f"{one.documents:,}" + ("" if one.requests <= stage.largest else " *"),
            one.strategy,
            f"{one.requests:,.0f}",
            *(_hours(max(one.hours / gpus, sending)) + ("†" if sending > one.hours / gpus else "") for gpus in CLUSTER),
            *(_hours(hours) for hours in (asking, stage.writing.at(one.requests) / _HOUR)),
            *(_megabytes(size) for size in (stage.memory_mb.at(one.documents), stage.disk_mb.at(one.requests))),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _hours(hours: float) -> str:
    if hours < 1 / 60:
        return f"{hours * _HOUR:.0f} s"
    if hours < 2:
        return f"{hours * 60:.0f} min"
    return f"{hours:.0f} h" if hours < 72 else f"{hours / 24:,.0f} days"


def _megabytes(size: float) -> str:
    if size < 1000:
        return f"{size:.0f} MB"
    return f"{size / 1000:.1f} GB" if size < 10_000 else f"{size / 1000:,.0f} GB"
