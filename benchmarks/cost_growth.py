"""How cost grows with the number of documents: requests and tokens laid out by the stage itself, dollars and hours reckoned from them.

    python benchmarks/cost_growth.py --documents 1000,10000,100000 --global-documents 1000,10000 --page docs/cost.md

Nobody is asked. Made documents (`speed/corpus.py`, 1 to 20 sentences) go through the recipe, the requests are laid out and their tokens
counted (bytes / 4). What the largest number of documents gives per document is multiplied for the numbers beyond it. Dollars come from
genai-prices; answers and the server's speed are assumptions, named in the page and given as arguments.
"""

import argparse
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
    """What a number of documents comes to. `seconds`: of laying it out; `measured`: whether it was laid out, or multiplied."""

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
            self, documents=documents, requests=self.requests * n, prompt_tokens=tokens[0], distinct_tokens=tokens[1], measured=False
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
            plan = entry_plan(ready, ready.tasks.strategies[0], rows=0)  # as for few rows: all are laid out, none estimated
        seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{strategy} {documents:,}: {plan.requests:,} requests, {plan.prompt_tokens:,} prompt tokens, {seconds:.0f} s", file=sys.stderr)
    return Layout(documents, plan.requests, plan.prompt_tokens, plan.distinct_tokens, seconds, memory, True)


def _dollars(price: Price, layout: Layout, answer: int, cached: bool) -> str:
    tokens = layout.prompt_tokens, layout.prompt_tokens - layout.distinct_tokens if cached else 0, layout.requests * answer
    amount = price.cost(*(round(t) for t in tokens)) / NANO
    return f"${amount:,.0f}" if amount >= 100 else f"${amount:,.2f}"


def _hours(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours:,.0f}" if hours >= 10 else f"{hours:.2g}"


def _prices(model: str) -> tuple[Price, Price]:
    both = [find_price(TeacherConfig(base_url=_OPENAI, batch=batch), model) for batch in (False, True)]
    if both[0] is None or both[1] is None:
        sys.exit(f"genai-prices has no price for {model} at {_OPENAI}")
    return both[0], both[1]


def rows(layouts: list[Layout], answer: int, args: argparse.Namespace) -> list[str]:
    """The table's rows of one strategy, of all sizes."""
    price, batch = _prices(args.model)
    known = {layout.documents: layout for layout in layouts}
    lines = []
    for size in _SIZES:
        layout = known.get(size) or max(layouts, key=lambda one: one.documents).times(size)
        answers = layout.requests * answer
        own = [tokens / args.prompt_rate + answers / args.answer_rate for tokens in (layout.prompt_tokens, layout.distinct_tokens)]
        limit = max(layout.requests / args.requests_per_minute, (layout.prompt_tokens + answers) / args.tokens_per_minute) * 60
        cells = [
            f"{size:,}" + ("" if layout.measured else " *"),
            *(f"{n:,.0f}" for n in (layout.requests, layout.prompt_tokens, layout.distinct_tokens, answers)),
            _dollars(price, layout, answer, cached=False), _dollars(price, layout, answer, cached=True),
            _dollars(batch, layout, answer, cached=False), _hours(limit), *(_hours(seconds) for seconds in own),
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return lines


_COLUMNS = (
    *("documents", "requests", "prompt tokens", "of them distinct", "answer tokens", "dollars", "with prefix cache", "Batch API"),
    *("hours at a provider", "hours, own server, no cache", "with cache"),
)
_HEAD = f"| {' | '.join(_COLUMNS)} |\n|{'---:|' * len(_COLUMNS)}"


def main() -> None:
    """Lays out, reckons, prints, and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", default="1000,10000,100000")
    parser.add_argument("--global-documents", default="1000,10000")
    parser.add_argument("--model", default="gpt-5-mini")
    parser.add_argument("--local-answer", type=int, default=150, help="tokens of an answer, assumed")
    parser.add_argument("--global-answer", type=int, default=700)
    parser.add_argument("--requests-per-minute", type=float, default=10_000, help="a provider's limit")
    parser.add_argument("--tokens-per-minute", type=float, default=10e6)
    parser.add_argument("--prompt-rate", type=float, default=20_000, help="tokens/s that an own server reads, assumed")
    parser.add_argument("--answer-rate", type=float, default=3_000, help="tokens/s that it writes, assumed")
    parser.add_argument("--page", type=Path)
    args = parser.parse_args()
    lay_out("local", 10)  # imports and the like
    local = [lay_out("local", int(n)) for n in args.documents.split(",")]
    fixed = [lay_out(FIXED, int(n)) for n in args.documents.split(",")]
    whole = [lay_out("global", int(n)) for n in args.global_documents.split(",")]
    measured = [
        f"| {kind} | {one.documents:,} | {one.seconds:,.1f} | {one.seconds / one.documents * 1e3:.2f} |"
        for kind, some in (("local", local), ("local, fixed examples", fixed), ("global", whole))
        for one in some
    ]
    page = "\n".join([
        f"Assumed: answers of {args.local_answer} tokens (local) and {args.global_answer} (global); prices of {args.model} at OpenAI "
        f"(genai-prices, {time.strftime('%B %Y')}); a provider's limit of {args.requests_per_minute:,.0f} requests and "
        f"{args.tokens_per_minute:,.0f} tokens a minute; an own server that reads {args.prompt_rate:,.0f} and writes "
        f"{args.answer_rate:,.0f} tokens a second. Rows with * are multiplied from the largest number that was laid out.",
        "", "### Local", "", _HEAD, *rows(local, args.local_answer, args),
        "", "### Local, the same worked examples in every prompt (`example_choice: fixed`)", "",
        _HEAD, *rows(fixed, args.local_answer, args),
        "", "### Global", "", _HEAD, *rows(whole, args.global_answer, args),
        "", "### Seconds of laying out (one process; no request is sent)", "",
        "| strategy | documents | seconds | ms a document |", "|---|---:|---:|---:|", *measured, "",
    ])  # fmt: skip
    print(page)
    if args.page:
        args.page.write_text(_MARKS.sub(lambda _: page, args.page.read_text()))


if __name__ == "__main__":
    main()
