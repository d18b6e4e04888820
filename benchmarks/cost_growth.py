"""Numbers of documents -> requests, tokens, dollars and hours: how cost grows, without asking a teacher.

    python benchmarks/cost_growth.py --out benchmarks/results/cost-growth.csv --page docs/cost.md
    python benchmarks/cost_growth.py --laid-out benchmarks/results/cost-growth.csv --page docs/cost.md

Generated documents (`speed/corpus.py`, 1 to 20 sentences) pass through the recipe. The stage lays out their requests,
whose tokens are counted as bytes / 4. Larger numbers of documents are extrapolated from the largest one laid out.
Prices come from genai-prices. The length of answers and the server's speed are assumptions, which are arguments and are
named in the page. --out writes all figures as CSV; --page inserts the main ones as a table, and beside them what the
stage itself takes (`stage_growth.py`, measured by `million.py`). --laid-out takes the requests and tokens from an
earlier CSV instead of laying out.
"""

import argparse
import csv
import json
import re
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from axolotl_augft.cli.plan import entry_plan
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.config.teacher import TeacherConfig
from axolotl_augft.prepared import prepared
from axolotl_augft.teacher.prices import NANO, Price, find_price

sys.path.insert(0, str(Path(__file__).parent / "speed"))
from corpus import text
from stage_growth import Asked, stage_cost, stage_table

_SIZES = [10**n for n in range(3, 9)]
_OPENAI = "https://api.openai.com/v1"


@dataclass(frozen=True)
class Layout:
    """Requests and tokens of a number of documents.

    Attributes:
        documents: Number of documents.
        requests: Number of requests.
        prompt_tokens: Tokens of all prompts.
        distinct_tokens: The same, with each shared prefix counted once.
        seconds: Time for laying out the requests.
        measured: Whether the requests were laid out; otherwise the values are extrapolated.
    """

    documents: int
    requests: float
    prompt_tokens: float
    distinct_tokens: float
    seconds: float
    measured: bool

    def times(self, documents: int) -> "Layout":
        """Extrapolate to a larger number of documents like these."""
        n = documents / self.documents
        tokens = self.prompt_tokens * n, self.distinct_tokens * n
        return replace(
            self,
            documents=documents,
            requests=self.requests * n,
            prompt_tokens=tokens[0],
            distinct_tokens=tokens[1],
            measured=False,
        )


_UNITS = {"strategy": "local", "unit_tokens": 96}
# What the page names each `augment` entry.
LOCAL: dict[str, dict[str, Any]] = {
    "local": {"strategy": "local"},
    "local, 96 tokens, fixed examples": {**_UNITS, "example_choice": "fixed"},
    "local, 96 tokens, fitting examples": {**_UNITS, "example_choice": "fitting"},
}


def lay_out(entry: str | dict[str, Any], documents: int) -> Layout:
    """Lay out the requests of one `augment` entry for a number of generated documents."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data.jsonl"
        with data.open("w") as file:
            for i in range(documents):
                file.write(json.dumps({"text": text(i, 20)}) + "\n")
        cfg = {
            "base_model": "student",
            "datasets": [{"path": str(data), "ds_type": "json", "type": "completion"}],
            "dataset_prepared_path": folder,
            "augft": {"teacher": {"base_url": _OPENAI, "model": "gpt-5-mini"}, "augment": [entry]},
        }
        start = time.perf_counter()
        with prepared(Recipe.from_cfg(cfg)) as ready:
            # With few rows, all requests are laid out and none is estimated.
            plan = entry_plan(ready, ready.tasks.strategies[0], rows=0)
        seconds = time.perf_counter() - start
    print(
        f"{entry} {documents:,}: {plan.requests:,} requests, {plan.prompt_tokens:,} prompt tokens, {seconds:.0f} s",
        file=sys.stderr,
    )
    return Layout(documents, plan.requests, plan.prompt_tokens, plan.distinct_tokens, seconds, True)


@dataclass(frozen=True)
class Reckoned:
    """The cost of one layout: dollars at list prices, hours at a provider's limits and on a server of your own."""

    strategy: str
    layout: Layout
    answer_tokens: float
    dollars: float
    dollars_cached: float
    dollars_batch: float
    hours_provider: float
    hours_own: float
    hours_own_cached: float

    def fields(self) -> dict[str, str]:
        """Return the formatted figures by CSV column."""
        laid = self.layout
        counts = laid.requests, laid.prompt_tokens, laid.distinct_tokens, self.answer_tokens
        money = self.dollars, self.dollars_cached, self.dollars_batch
        hours = self.hours_provider, self.hours_own, self.hours_own_cached
        values = [
            *(self.strategy, str(laid.documents), "yes" if laid.measured else "no"),
            *(f"{n:.0f}" for n in counts),
            *(f"{n:.2f}" for n in money),
            *(f"{n:.4g}" for n in hours),
            f"{laid.seconds:.1f}" if laid.measured else "",
        ]
        return dict(zip(_COLUMNS, values, strict=True))


_COLUMNS = (
    *("strategy", "documents", "laid_out", "requests", "prompt_tokens", "distinct_prompt_tokens", "answer_tokens"),
    *(
        "dollars",
        "dollars_prefix_cached",
        "dollars_batch",
        "hours_at_provider",
        "hours_own_server",
        "hours_own_server_cached",
    ),
    "seconds_laying_out",
)
_SHOWN = (1_000, 100_000, 10_000_000)
_BESIDE = ("local", "global")
_HEADS = (
    "strategy",
    "documents",
    "requests",
    "dollars",
    "with prefix cache",
    "Batch API",
    "hours at a provider",
    "hours, own server",
    "with cache",
)


def _prices(model: str) -> tuple[Price, Price]:
    both = [find_price(TeacherConfig(base_url=_OPENAI, batch=batch), model) for batch in (False, True)]
    if both[0] is None or both[1] is None:
        sys.exit(f"genai-prices has no price for {model} at {_OPENAI}")
    return both[0], both[1]


def reckoned(strategy: str, layouts: list[Layout], answer: int, args: argparse.Namespace) -> list[Reckoned]:
    """Compute the cost of one strategy at all sizes, extrapolating sizes that were not laid out from the largest one.

    Args:
        strategy: Name of the strategy in the results.
        layouts: The sizes that were laid out.
        answer: Tokens per answer.
        args: Prices, limits and speeds.
    """
    price, batch = _prices(args.model)
    known = {layout.documents: layout for layout in layouts}
    found = []
    for size in _SIZES:
        layout = known.get(size) or max(layouts, key=lambda one: one.documents).times(size)
        answers = layout.requests * answer
        prompt, distinct = round(layout.prompt_tokens), round(layout.distinct_tokens)
        full, some_cached, halved = (
            p.cost(prompt, cached, round(answers)) / NANO
            for p, cached in ((price, 0), (price, prompt - distinct), (batch, 0))
        )
        limit = max(layout.requests / args.requests_per_minute, (prompt + answers) / args.tokens_per_minute) / 60
        own, own_cached = (
            (tokens / args.prompt_rate + answers / args.answer_rate) / 3600 for tokens in (prompt, distinct)
        )
        found.append(Reckoned(strategy, layout, answers, full, some_cached, halved, limit, own, own_cached))
    return found


def table(rows: list[Reckoned]) -> str:
    """Format the main rows as a Markdown table."""
    lines = [f"| {' | '.join(_HEADS)} |", f"|---|{'---:|' * (len(_HEADS) - 1)}"]
    for row in rows:
        if row.layout.documents in _SHOWN:
            cells = [
                *(
                    row.strategy,
                    f"{row.layout.documents:,}" + ("" if row.layout.measured else " *"),
                    f"{row.layout.requests:,.0f}",
                ),
                *(_dollars(n) for n in (row.dollars, row.dollars_cached, row.dollars_batch)),
                *(_hours(n) for n in (row.hours_provider, row.hours_own, row.hours_own_cached)),
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _dollars(amount: float) -> str:
    return f"${amount:,.0f}" if amount >= 100 else f"${amount:,.2f}"


def _hours(hours: float) -> str:
    return f"{hours:,.0f}" if hours >= 10 else f"{hours:.2g}"


def _assumptions(args: argparse.Namespace) -> str:
    return (
        f"Assumptions: answers of {args.sentence_answer} tokens about a sentence, {args.local_answer} about 96 tokens "
        f"and {args.global_answer} about a document among others (global); "
        f"list prices of {args.model} at OpenAI (genai-prices, {args.month}); a provider's limit of "
        f"{args.requests_per_minute:,.0f} requests and {args.tokens_per_minute:,.0f} tokens per minute; a server of "
        f"your own that reads {args.prompt_rate:,.0f} and writes {args.answer_rate:,.0f} tokens per second. Rows "
        f"marked * are extrapolated from the largest number of documents laid out."
    )


def write(rows: list[Reckoned], args: argparse.Namespace) -> None:
    """Write the CSV, and insert the tables between the page's marks."""
    if args.out:
        with args.out.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(row.fields() for row in rows)
    tables = {"figures": f"{_assumptions(args)}\n\n{table(rows)}", "stage": "\n".join(beside(rows, args.million))}
    for name, made in tables.items():
        print(f"\n{made}\n")
        if args.page:
            page = args.page.read_text(encoding="utf-8")
            args.page.write_text(_with_table(page, name, made), encoding="utf-8")


def _with_table(page: str, name: str, made: str) -> str:
    marks = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.DOTALL)
    return marks.sub(lambda _: f"\n{made}\n\n", page)


def beside(rows: list[Reckoned], million: Path) -> list[str]:
    """Format what the stage takes beside the teacher's hours."""
    asked = [
        Asked(row.strategy, row.layout.documents, row.layout.requests, row.hours_own_cached)
        for row in rows
        if row.strategy in _BESIDE
    ]
    return stage_table(asked, lambda strategy: stage_cost(million, strategy))


def laid_out(file: Path) -> dict[str, list[Layout]]:
    """Read the sizes that were laid out, by strategy, from an earlier CSV."""
    found: dict[str, list[Layout]] = {}
    with file.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            if row["laid_out"] == "yes":
                layout = Layout(
                    int(row["documents"]),
                    int(row["requests"]),
                    int(row["prompt_tokens"]),
                    int(row["distinct_prompt_tokens"]),
                    float(row["seconds_laying_out"]),
                    True,
                )
                found.setdefault(row["strategy"], []).append(layout)
    return found


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", default="1000,10000,100000")
    parser.add_argument("--global-documents", default="1000,10000")
    parser.add_argument("--model", default="gpt-5-mini")
    parser.add_argument("--month", default=time.strftime("%B %Y"), help="date of the price list")
    parser.add_argument("--sentence-answer", type=int, default=60, help="tokens per answer about a sentence, assumed")
    parser.add_argument("--local-answer", type=int, default=150, help="tokens per answer about 96 tokens, assumed")
    parser.add_argument("--global-answer", type=int, default=700)
    parser.add_argument("--requests-per-minute", type=float, default=10_000, help="a provider's limit")
    parser.add_argument("--tokens-per-minute", type=float, default=10e6)
    parser.add_argument(
        "--prompt-rate", type=float, default=20_000, help="tokens/s that your own server reads, assumed"
    )
    parser.add_argument("--answer-rate", type=float, default=3_000, help="tokens/s that it writes, assumed")
    parser.add_argument(
        "--million", type=Path, default=Path("benchmarks/results/million.csv"), help="what million.py measured"
    )
    parser.add_argument("--laid-out", type=Path, help="CSV file of an earlier run, instead of laying out")
    parser.add_argument("--out", type=Path, help="CSV file for all figures")
    parser.add_argument("--page", type=Path, help="file to insert the tables into, between its marks")
    return parser.parse_args(given)


def lay_out_all(args: argparse.Namespace) -> dict[str, list[Layout]]:
    """Lay out the requests of all strategies, by their names in the results."""
    lay_out("local", 10)  # warm-up: imports would distort the first measurement
    sizes = [int(n) for n in args.documents.split(",")]
    local = {name: [lay_out(entry, size) for size in sizes] for name, entry in LOCAL.items()}
    return {**local, "global": [lay_out("global", int(n)) for n in args.global_documents.split(",")]}


def main() -> None:
    """Lay out the requests, compute the costs, and write them."""
    args = arguments()
    layouts = laid_out(args.laid_out) if args.laid_out else lay_out_all(args)
    answers = {
        name: args.local_answer if "unit_tokens" in entry else args.sentence_answer for name, entry in LOCAL.items()
    }
    answers["global"] = args.global_answer
    write([row for name, laid in layouts.items() for row in reckoned(name, laid, answers[name], args)], args)


if __name__ == "__main__":
    main()
