"""Command line -> experiments: `bench run` and `own`, and `questions` for the latter."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from axolotl_augft.cli.recipe_files import ConfigPath, one_line_errors, say

if TYPE_CHECKING:
    from axolotl_augft.bench.experiments.plan import Plan
    from axolotl_augft.bench.report.results import Match


@click.command()
@click.argument("config", type=ConfigPath())
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="JSON Lines file to write.")
@click.option("--number", default=100, show_default=True, type=click.IntRange(min=1), help="Questions wanted.")
@one_line_errors
def questions(config: str, out: Path, number: int) -> None:
    """Have the teacher write questions about the recipe's training documents. Read them before you trust them."""
    from axolotl_augft.bench.experiments.asking_questions import report_lines, write_questions
    from axolotl_augft.cli.recipe_files import read_recipe

    for line in report_lines(write_questions(read_recipe(config), number, out), number, out):
        say(line)


_OUT = click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Output folder. Default: build/bench/NAME."
)
_SEEDS = click.option("--seeds", help="Training seeds, e.g. 0,1,2.")
_CONDITIONS = click.option("--conditions", help="Conditions to run, e.g. ft,aug-local.")
_STEPS = click.option("--steps", type=click.IntRange(min=1), help="Optimizer steps per condition.")
_MATCH = click.option(
    "--match",
    type=click.Choice(["steps", "source"]),
    help="What trained conditions share: steps, or how often they see the source rows (--steps are then those of ft).",
)


@click.command()
@click.argument("suite", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_OUT
@_SEEDS
@_CONDITIONS
@_STEPS
@_MATCH
@click.option("--model", help="Student model, instead of the recipe's base_model.")
@click.option("--source", help="Folder of the reversal-curse or SQuAD data.")
@one_line_errors
def run(
    suite: Path,
    out: Path | None,
    seeds: str | None,
    conditions: str | None,
    steps: int | None,
    match: "Match | None",
    model: str | None,
    source: str | None,
) -> None:
    """Train and score the conditions of a suite; finished cells are kept."""
    from axolotl_augft.bench.experiments.preparing import suite_plan
    from axolotl_augft.bench.experiments.suite import load_suite, parse_list
    from axolotl_augft.bench.report.results import Condition

    chosen = {
        "seeds": parse_list(seeds, int, "--seeds"),
        "conditions": parse_list(conditions, Condition, "--conditions"),
    }
    settings = load_suite(suite, {**chosen, "steps": steps, "match": match, "model": model, "source": source})
    folder = out or Path("build", "bench", settings.name)
    _run(suite_plan(settings, folder), folder)


@click.command()
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--questions",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON Lines file with prompt, choices and answer (index or text of the right choice), or with prompt and the "
    "answer that the student has to write.",
)
@click.option(
    "--form-rows",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON Lines file of questions about other things, with prompt and answer, to train on in all but ft.",
)
@click.option(
    "--answer-tokens",
    type=click.IntRange(min=1),
    help="Let the student write answers of at most this many tokens. Default: 32 if a question has no choices.",
)
@_OUT
@_SEEDS
@_CONDITIONS
@_STEPS
@click.option("--forgetting", help="General tasks to score before and after training, e.g. everyday,grammar.")
@_MATCH
@one_line_errors
def own(
    config: Path,
    questions: Path,
    form_rows: Path | None,
    answer_tokens: int | None,
    out: Path | None,
    seeds: str | None,
    conditions: str | None,
    steps: int | None,
    match: "Match | None",
    forgetting: str | None,
) -> None:
    """Run the conditions on your own recipe and questions."""
    from axolotl_augft.bench.datasets.forgetting.tasks import GeneralTask
    from axolotl_augft.bench.experiments.own import OwnSettings, own_plan
    from axolotl_augft.bench.experiments.suite import parse_list
    from axolotl_augft.bench.report.results import Condition

    settings = OwnSettings(
        conditions=parse_list(conditions, Condition, "--conditions"),
        seeds=parse_list(seeds, int, "--seeds"),
        steps=steps,
        form_rows=form_rows,
        answer_tokens=answer_tokens,
        match=match or "steps",
        forgetting=parse_list(forgetting, GeneralTask, "--forgetting"),
    )
    plan = own_plan(config, questions, settings)
    _run(plan, out or Path("build", "bench", plan.name))


def _run(plan: "Plan", out: Path) -> None:
    from axolotl_augft.bench.experiments.running import RESULTS, failed_lines, run_plan

    failed = failed_lines(run_plan(plan, out))
    say(f"results: {out / RESULTS}")
    if failed:
        raise click.ClickException(f"{len(failed)} cells failed\n" + "\n".join(failed))
