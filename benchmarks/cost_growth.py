"""How cost grows with the number of documents: requests and tokens laid out, dollars and hours reckoned from them.

    python benchmarks/cost_growth.py --out benchmarks/results/cost-growth.csv --page docs/cost.md

No teacher is asked. Made documents (`speed/corpus.py`, 1 to 20 sentences) go through the recipe, the stage lays out the
requests, and their tokens are counted (bytes / 4). What the largest number of documents gives per document is
multiplied for the numbers beyond it. Dollars come from genai-prices; answers and the server's speed are assumptions,
named in the page and given as arguments. --out gets all figures as CSV, --page the telling ones as a table.
"""

import argparse
import csv
import json
import re
import resource
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from axolotl_augft.cli.plan import entry_plan
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.config.teacher import TeacherConfig
from axolotl_augft.stage import prepared
from axolotl_augft.teacher.prices import NANO, Price, find_price

sys.path.insert(0, str(Path(__file__).parent / "speed"))
from corpus import text

_MARKS = re.compile(r"(?<=<!-- figures -->\n).*?(?=<!-- /figures -->)", re.DOTALL)
_SIZES = [10**n for n in range(3, 8)]
_OPENAI = "https://api.openai.com/v1"


@dataclass(frozen=True)
class Layout:
    """What a number of documents comes to.

    Attributes:
        documents: How many there are.
        requests: Requests about them.
        prompt_tokens: Tokens of all prompts.
        distinct_tokens: The same, each shared prefix counted once.
        seconds: Time that laying them out took.
        memory_mb: Most memory that this process has used.
        measured: Whether they were laid out, or multiplied from fewer.
    """

    documents: int
    requests: float
    prompt_tokens: float
    distinct_tokens: float
    seconds: float
    memory_mb: float
    measured: bool

    def times(self, documents: int) -> "Layout":
        """As many documents more, each like these."""
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


FIXED = {"strategy": "local", "example_choice": "fixed"}


def lay_out(strategy: str | dict[str, str], documents: int) -> Layout:
    """Lays out one `augment` entry over so many made documents."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data.jsonl"
        with data.open("w") as file:
            for i in range(documents):
                file.write(json.dumps({"text": text(i, 20)}) + "\n")
        cfg = {
            "base_model": "student",
            "datasets": [{"path": str(data), "ds_type": "json", "type": "completion"}],
            "dataset_prepared_path": folder,
            "augft": {"teacher": {"base_url": _OPENAI, "model": "gpt-5-mini"}, "augment": [strategy]},
        }
        start = time.perf_counter()
        with prepared(Recipe.from_cfg(cfg)) as ready:
            plan = entry_plan(
                ready, ready.tasks.strategies[0], rows=0
            )  # as for few rows: all are laid out, none estimated
        seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{strategy} {documents:,}: {plan.requests:,} requests, {plan.prompt_tokens:,} prompt tokens, {seconds:.0f} s",
        file=sys.stderr,
    )
    return Layout(documents, plan.requests, plan.prompt_tokens, plan.distinct_tokens, seconds, memory, True)


@dataclass(frozen=True)
class Reckoned:
    """What one layout costs: dollars at the list price, hours at a provider's limits and at an own server's speed."""

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
        """The figures by their names in the CSV."""
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
    """One strategy at all sizes; sizes that were not laid out are multiplied from the largest that was.

    Args:
        strategy: Its name in the results.
        layouts: The sizes that were laid out.
        answer: Tokens of an answer.
        args: Prices, limits and speeds.
    """
    price, batch = _prices(args.model)
    known = {layout.documents: layout for layout in layouts}
    found = []
    for size in _SIZES:
        layout = known.get(size) or max(layouts, key=lambda one: one.documents).times(size)
        answers = layout.requests * answer
        prompt, distinct = round(layout.prompt_tokens), round(layout.distinct_tokens)
        dollars = [
            p.cost(prompt, cached, round(answers)) / NANO
            for p, cached in ((price, 0), (price, prompt - distinct), (batch, 0))
        ]
        limit = max(layout.requests / args.requests_per_minute, (prompt + answers) / args.tokens_per_minute) / 60
        own = [(tokens / args.prompt_rate + answers / args.answer_rate) / 3600 for tokens in (prompt, distinct)]
        found.append(Reckoned(strategy, layout, answers, *dollars, limit, *own))
    return found


def table(rows: list[Reckoned]) -> str:
    """The telling rows as a Markdown table."""
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
        f"Assumptions: answers of {args.local_answer} tokens (local) and {args.global_answer} tokens (global); "
        f"list prices of {args.model} at OpenAI (genai-prices, {args.month}); a provider's limit of "
        f"{args.requests_per_minute:,.0f} requests and {args.tokens_per_minute:,.0f} tokens per minute; a server of "
        f"your "
        f"own that reads {args.prompt_rate:,.0f} and writes {args.answer_rate:,.0f} tokens per second. Rows marked * "
        f"are "
        "extrapolated from the largest number of documents laid out."
    )


def write(rows: list[Reckoned], args: argparse.Namespace) -> None:
    """Writes the CSV, and puts the table between the page's marks."""
    if args.out:
        with args.out.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(row.fields() for row in rows)
    text = f"\n{_assumptions(args)}\n\n{table(rows)}\n\n"
    print(text)
    if args.page:
        page = args.page.read_text(encoding="utf-8")
        args.page.write_text(_MARKS.sub(lambda _: text, page), encoding="utf-8")


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", default="1000,10000,100000")
    parser.add_argument("--global-documents", default="1000,10000")
    parser.add_argument("--model", default="gpt-5-mini")
    parser.add_argument("--month", default=time.strftime("%B %Y"), help="when the prices were listed")
    parser.add_argument("--local-answer", type=int, default=150, help="tokens of an answer, assumed")
    parser.add_argument("--global-answer", type=int, default=700)
    parser.add_argument("--requests-per-minute", type=float, default=10_000, help="a provider's limit")
    parser.add_argument("--tokens-per-minute", type=float, default=10e6)
    parser.add_argument("--prompt-rate", type=float, default=20_000, help="tokens/s that an own server reads, assumed")
    parser.add_argument("--answer-rate", type=float, default=3_000, help="tokens/s that it writes, assumed")
    parser.add_argument("--out", type=Path, help="CSV file of all figures")
    parser.add_argument("--page", type=Path, help="file that gets a table between its <!-- figures --> marks")
    return parser.parse_args(given)


def main() -> None:
    """Lays out, reckons and writes."""
    args = arguments()
    lay_out("local", 10)  # imports and the like
    local = [lay_out("local", int(n)) for n in args.documents.split(",")]
    fixed = [lay_out(FIXED, int(n)) for n in args.documents.split(",")]
    whole = [lay_out("global", int(n)) for n in args.global_documents.split(",")]
    rows = [
        *reckoned("local", local, args.local_answer, args),
        *reckoned("local, fixed examples", fixed, args.local_answer, args),
        *reckoned("global", whole, args.global_answer, args),
    ]
    write(rows, args)


if __name__ == "__main__":
    main()
