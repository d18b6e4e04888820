"""The teacher side of the stage -> a table of its costs: goals beside measured figures.

Usage: python benchmarks/speed/bench.py [--full] [--only NAME] [--model FOLDER] [--out FILE] [--page docs/speed.md]

Without --full, the long measurements are smaller. Figures come from one run on this machine; the clients are compared
with aiohttp and the openai library.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import crashes
import scale
import served
import throughput
from measuring import Figure


def machine() -> str:
    """Describe this machine and its load."""
    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        "",
    )
    return (
        f"{model or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, load "
        f"{os.getloadavg()[0]:.1f}"
    )


def sections(full: bool, model: str | None) -> dict[str, Callable[[], list[Figure]]]:
    """Return the measurements by name."""
    found = {
        "speed": lambda: throughput.speed(20_000 if full else 8_000),
        "wall": lambda: throughput.wall(1.0, 20),
        "unequal": lambda: throughput.unequal(20),
        "prefixes": lambda: throughput.prefixes(720),
        "memory": lambda: throughput.memory(500_000 if full else 40_000),
        "crashes": lambda: crashes.figures(20 if full else 5),
        "scale": lambda: scale.figures(1_000_000 if full else 20_000),
    }
    if model:
        found["server"] = lambda: served.figures(model)
    return found


def table(figures: list[Figure]) -> list[str]:
    """Format the figures as a Markdown table."""
    mark = {True: "yes", False: "**no**", None: ""}
    rows = [f"| {f.what} | {f.goal} | {f.figure} | {mark[f.met]} |" for f in figures]
    return ["| | goal | measured | met |", "|---|---:|---:|---|", *rows]


def main() -> None:
    """Run the selected measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", action="append")
    parser.add_argument("--model", help="model folder for transformers serve")
    parser.add_argument("--out", type=Path, help="file for the table")
    parser.add_argument("--page", type=Path, help="file to insert the table into, between its <!-- speed --> marks")
    arguments = parser.parse_args()
    figures: list[Figure] = []
    for name, measure in sections(arguments.full, arguments.model).items():
        if arguments.only and name not in arguments.only:
            continue
        start = time.monotonic()
        found = measure()
        figures += found
        print(f"{name}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
        for line in table(found)[2:]:
            print(line, file=sys.stderr, flush=True)
    lines = [*table(figures), "", f"{machine()}; `make bench{' FULL=1' if arguments.full else ''}`."]
    print("\n".join(lines))
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text("\n".join(lines) + "\n")
    if arguments.page:
        before, _, rest = arguments.page.read_text().partition("<!-- speed -->")
        after = rest.partition("<!-- /speed -->")[2]
        arguments.page.write_text("\n".join([before + "<!-- speed -->\n", *lines, "\n<!-- /speed -->" + after]))


if __name__ == "__main__":
    main()
