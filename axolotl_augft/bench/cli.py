"""Command line -> data sets, experiments and reports: `axolotl augft bench …`.

Heavy imports wait until a command runs, so that `--help` stays fast.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from axolotl_augft.cli.recipe_files import ConfigPath, one_line_errors, say

if TYPE_CHECKING:
    from axolotl_augft.bench.datasets.dataset import Scale
    from axolotl_augft.bench.experiments.plan import Plan
    from axolotl_augft.bench.report.results import Match


@click.group()
def bench() -> None:
    """Run the paper's experiments on generated data sets and on your own data."""


@bench.command("make")
@click.argument("name")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to write.")
@click.option(
    "--scale", default="small", show_default=True, type=click.Choice(["tiny", "small", "paper"]), help="Size."
)
@click.option("--seed", default=0, show_default=True, type=int, help="Random seed.")
@click.option(
    "--source",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the reversal-curse or SQuAD data. Default: download them from the hub.",
)
@click.option(
    "--passages",
    type=click.IntRange(min=1),
    help="Number of SQuAD passages. Default: by scale, 5 (tiny), 20 (small) or 200 (paper).",
)
@click.option("--two-passages", is_flag=True, help="Add questions to SQuAD's that need two passages.")
@click.option("--teacher-url", help="Server (OpenAI-compatible) of a model that proposes and tries further ones.")
@click.option("--teacher-model", help="The name by which that server knows the model.")
@click.option("--teacher-key-env", help="Environment variable that holds that server's API key.")
@click.option(
    "--proposals",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="Proposals for each pair of passages of an article.",
)
@one_line_errors
def make_data(
    name: str,
    out: Path,
    scale: "Scale",
    seed: int,
    source: Path | None,
    passages: int | None,
    two_passages: bool,
    teacher_url: str | None,
    teacher_model: str | None,
    teacher_key_env: str | None,
    proposals: int,
) -> None:
    """Make a data set: reversals, syllogisms, semantic, process, reversal-curse or squad."""
    from axolotl_augft.bench.datasets.dataset import save
    from axolotl_augft.bench.datasets.making import examine, make
    from axolotl_augft.bench.datasets.squad.teacher import teacher_config, wanted_two_passages
    from axolotl_augft.errors import BenchError

    teacher = teacher_config(teacher_url, teacher_model, teacher_key_env)
    with wanted_two_passages(two_passages, teacher, proposals, out) as wanted:
        data = make(name, scale, seed, source, passages, wanted)
    examination = examine(data)
    if found := examination.problems:
        raise BenchError(f"data set {name}: {len(found):,} problems, so it is not written; the first: {found[0]}")
    save(data, out)
    say(data.about)
    for line in examination.proven:
        say(line)
    say(f"data set: {out}")


@bench.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@one_line_errors
def check(folder: Path) -> None:
    """Prove that every right choice of a data set follows from the training documents, and that no wrong one does."""
    from axolotl_augft.bench.datasets.dataset import load
    from axolotl_augft.bench.datasets.making import examine

    examination = examine(load(folder))
    for line in examination.problems or examination.proven:
        say(line)
    if examination.problems:
        raise click.ClickException(f"{folder}: {len(examination.problems):,} problems; make the data set again")


@bench.command()
@click.argument("config", type=ConfigPath())
@click.option(
    "--data",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the data set that the recipe trains on.",
)
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Also write all counts to this file."
)
@click.option("--reader-url", help="Server (OpenAI-compatible) of a model that reads what the grammar cannot.")
@click.option("--reader-model", help="The name by which that server knows the model.")
@click.option("--reader-key-env", help="Environment variable that holds that server's API key.")
@one_line_errors
def audit(
    config: str,
    data: Path,
    json_file: Path | None,
    reader_url: str | None,
    reader_model: str | None,
    reader_key_env: str | None,
) -> None:
    """Count the correct statements among a recipe's stored answers and the test facts they state.

    Sends no requests, unless a model is named to read free phrasing.
    """
    import orjson

    from axolotl_augft.bench.audit.asking import reader_config
    from axolotl_augft.bench.audit.audit import audit as audited
    from axolotl_augft.bench.audit.tables import audit_lines
    from axolotl_augft.bench.datasets.dataset import load
    from axolotl_augft.bench.datasets.making import grammar_of
    from axolotl_augft.bench.report.output import write_text
    from axolotl_augft.cli.recipe_files import read_recipe

    made = load(data)
    model = reader_config(reader_url, reader_model, reader_key_env)
    found = audited(read_recipe(config), made, grammar_of(made), model)
    if json_file:
        write_text(json_file, orjson.dumps(found.as_json(), option=orjson.OPT_INDENT_2).decode() + "\n")
    for line in audit_lines(found):
        say(line)


@bench.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--context-tokens",
    default=16_000,
    show_default=True,
    type=click.IntRange(min=64),
    help="Document tokens per context group.",
)
@click.option(
    "--passes", default=2, show_default=True, type=click.IntRange(min=1), help="How many times to group the documents."
)
@click.option(
    "--tokenizer",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the teacher's model. Default: estimate tokens as bytes / 4.",
)
@one_line_errors
def reach(folder: Path, context_tokens: int, passes: int, tokenizer: Path | None) -> None:
    """Print the share of test facts that single context groups imply: related groups against random ones."""
    from axolotl_augft.bench.datasets.dataset import load
    from axolotl_augft.bench.report.reach import reach_lines

    for line in reach_lines(load(folder), context_tokens, passes, tokenizer):
        say(line)


_RESULTS = click.argument(
    "results", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)


@bench.command()
@_RESULTS
@click.option(
    "--page",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Insert the table between this file's <!-- bench --> marks.",
)
@one_line_errors
def table(results: tuple[Path, ...], page: Path | None) -> None:
    """Print the results of suites as Markdown, or insert them into a page."""
    from axolotl_augft.bench.report.results import load_result, together
    from axolotl_augft.bench.report.tables import insert, table_lines

    lines = table_lines(together([load_result(r) for r in results]))
    if page:
        insert(page, lines)
    else:
        say("\n".join(lines))


@bench.command()
@_RESULTS
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the figures.")
@one_line_errors
def plot(results: tuple[Path, ...], out: Path) -> None:
    """Draw the results of suites: accuracy by condition, and cost by number of questions."""
    from axolotl_augft.bench.report.plotting import plot as draw
    from axolotl_augft.bench.report.results import load_result, together

    for path in draw(together([load_result(r) for r in results]), out):
        say(str(path))


@bench.command()
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


@bench.command()
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


@bench.command()
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
