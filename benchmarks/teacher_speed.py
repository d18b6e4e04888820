"""A recipe -> the speed of its managed teacher: tokens per second, and the gain from a context group's cached prefix.

Usage: python benchmarks/teacher_speed.py RECIPE.yml [--requests N]

Starts the recipe's own managed server, sends N local requests with the recipe's concurrency, then up to six requests of
the first context group one at a time. The later ones find their shared prefix in the server's cache. Nothing is kept.
"""

import argparse
import statistics
import tempfile
import time
from itertools import islice
from pathlib import Path

import yaml

from axolotl_augft.asking.pacing.pace import Pace
from axolotl_augft.asking.round import Round, RoundCounts
from axolotl_augft.asking.window import ask
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.prepared import Prepared, prepared
from axolotl_augft.strategies.task import Strategy
from axolotl_augft.teacher.client import Server
from axolotl_augft.teacher.request import Request
from axolotl_augft.teacher.serving.servers import managed_server


class _Quiet:
    def update(self, asked: RoundCounts) -> None:
        """Show nothing: the figures come at the end."""


def main() -> None:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--requests", type=int, default=32)
    arguments = parser.parse_args()
    cfg = yaml.safe_load(arguments.recipe.read_text())
    with tempfile.TemporaryDirectory() as folder:
        cfg["augft"]["output_dir"] = folder
        with (
            prepared(Recipe.from_cfg(cfg)) as ready,
            managed_server(ready.teacher, Path(folder) / "server.log") as running,
        ):
            server = Server(running.base_url, ready.teacher.model, ready.teacher.config.timeout, shape=running.shape)
            _local(ready, server, arguments.requests)
            _group(ready, server)


def _strategy(ready: Prepared, name: str) -> Strategy:
    return next(s for s in ready.tasks.strategies if s.settings.strategy == name)


def _ask(ready: Prepared, server: Server, requests: list[Request], in_flight: int) -> tuple[RoundCounts, float]:
    start = time.perf_counter()
    asked = ask(requests, Round(server, ready.store, Pace(in_flight, 1), _Quiet()))
    return asked, time.perf_counter() - start


def _local(ready: Prepared, server: Server, count: int) -> None:
    warm_up, *requests = [t.request for t in islice(_strategy(ready, "local").in_sending_order(), count + 1)]
    _ask(ready, server, [warm_up], 1)
    asked, seconds = _ask(ready, server, requests, ready.teacher.max_concurrency)
    print(
        f"local: {asked.answered} requests, {ready.teacher.max_concurrency} in flight, {seconds:.1f} s: "
        f"{asked.answered / seconds:.2f} requests/s, {asked.spent.prompt_tokens / seconds:.0f} tokens/s in, "
        f"{asked.spent.completion_tokens / seconds:.1f} tokens/s out"
    )


def _group(ready: Prepared, server: Server) -> None:
    tasks = list(_strategy(ready, "global").in_sending_order())
    group = [t.request for t in tasks if t.request.prefix is tasks[0].request.prefix][:6]
    timed = [_ask(ready, server, [request], 1) for request in group]
    first, *later = [seconds for _, seconds in timed]
    print(
        f"context group, {timed[0][0].spent.prompt_tokens} prompt tokens, one request at a time: first {first:.2f} s, "
        f"later {statistics.median(later):.2f} s (median of {len(later)}); "
        f"answers of {', '.join(str(asked.spent.completion_tokens) for asked, _ in timed)} tokens"
    )


if __name__ == "__main__":
    main()
