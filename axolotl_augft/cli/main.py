"""Command line -> one command of `axolotl augft`: plan, run, look at the result or the response store.

Imports nothing heavy until a command runs.
"""

from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from click_default_group import DefaultGroup

from axolotl_augft.cli.recipe_files import ConfigPath, one_line_errors, read_recipe, say
from axolotl_augft.text.terminal import clean

_EMPTY = "empty"
_CONFIG = click.argument("config", type=ConfigPath())
_KIND = click.option("--kind", "kinds", multiple=True, help="Only this kind, as reversal or local/reversal.")
_REASON = click.option("--reason", "reasons", multiple=True, help="Only rejected for this reason.")
_GREP = click.option("--grep", help="Only statements that contain this regular expression, whatever its case.")
_BELOW = click.option("--below", type=click.FloatRange(0, 1), help="Only statements less probable than this.")


class _Bench(click.Group):
    """The commands of `bench`, which are imported when one of them, or their help, is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return _bench().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return _bench().get_command(ctx, cmd_name)


def _bench() -> click.Group:
    bench: click.Group = import_module("axolotl_augft.bench.cli").bench
    return bench


def _selection(
    rejected: bool | None, kinds: tuple[str, ...], reasons: tuple[str, ...], grep: str | None, below: float | None
) -> Any:
    """Return the `Selection` that the options of a command make."""
    from axolotl_augft.report.selection import Selection, search_pattern

    return Selection(kinds, reasons, rejected, search_pattern(grep), below)


def _say_unfinished(found: Any) -> None:
    """Say what the run of a `Reviewable` has come to, if it has not finished."""
    if found.unfinished:
        say(found.unfinished)


@click.group()
def augft() -> None:
    """Augmented fine-tuning: let a teacher model write about your data before you train."""


augft.add_command(_Bench("bench", help="Run the paper's experiments, and measure your own recipe."))


@augft.command()
@_CONFIG
@one_line_errors
def plan(config: str) -> None:
    """Count documents and requests, and estimate tokens, cost and time, without sending a request."""
    from axolotl_augft.cli.plan import plan_lines

    for line in plan_lines(read_recipe(config)):
        say(line)


@augft.command()
@_CONFIG
@click.option(
    "--ask-again",
    type=click.Choice(["filtered", "invalid", _EMPTY]),
    multiple=True,
    help="Forget this recipe's stored outcomes of this kind first, so that these requests are sent again.",
)
@one_line_errors
def run(config: str, ask_again: tuple[str, ...]) -> None:
    """Run the stage without training; `axolotl train` will reuse its result."""
    from axolotl_augft.cli.prune import forget
    from axolotl_augft.output.manifest import record_path, result_folder
    from axolotl_augft.stage import run_stage
    from axolotl_augft.teacher.answer import Outcome

    recipe = read_recipe(config)
    if ask_again:
        outcomes = [Outcome(o) for o in ask_again if o != _EMPTY]
        say(f"forgot {forget(recipe, outcomes, empty=_EMPTY in ask_again)} stored outcomes")
        record_path(recipe).unlink(missing_ok=True)
    result = run_stage(recipe)
    say(f"result: {result_folder(recipe, result.fingerprint)}")


@augft.command()
@_CONFIG
@click.option("--limit", default=5, show_default=True, type=click.IntRange(min=1), help="Documents per data set entry.")
@click.option("--kept/--rejected", "kept", default=None, help="Only kept, or only rejected statements.")
@_KIND
@_REASON
@_GREP
@_BELOW
@click.option("--doubtful", is_flag=True, help="Show the documents with the most doubtful statements, those first.")
@one_line_errors
def show(config: str, limit: int, kept: bool | None, doubtful: bool, **options: Any) -> None:
    """Show some documents, each with its augmentations and its rejected statements, with reasons."""
    from rich.console import Console

    from axolotl_augft.cli.report import reviewable
    from axolotl_augft.cli.show import show as show_documents

    selection = _selection(None if kept is None else not kept, **options)
    with reviewable(read_recipe(config)) as found:
        _say_unfinished(found)
        show_documents(found.recipe, limit, selection, doubtful, Console(soft_wrap=True))


@augft.command()
@_CONFIG
@click.option("--out/--in", "out", default=True, help="Take kept statements out (default), or bring rejected ones in.")
@_KIND
@_REASON
@_GREP
@_BELOW
@click.option("--marks", type=click.Path(dir_okay=False), help="Their file. Default: augft.marks, or marks.jsonl.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@one_line_errors
def mark(config: str, out: bool, marks: str | None, yes: bool, **options: Any) -> None:
    """Take statements out, or bring them in, at the next run, which needs no teacher for it."""
    from axolotl_augft.cli.mark import save, select
    from axolotl_augft.cli.report import reviewable

    recipe = read_recipe(config)
    with reviewable(recipe) as result:
        _say_unfinished(result)
        found = select(result.recipe, _selection(not out, **options), marks)
    for statement in found.statements:
        say(f"  {'-' if out else '+'} {statement.kind}: {clean(statement.pair)}")
    what = f"{len(found.marks):,} statements {'out' if out else 'in'}"
    if found.marks and (yes or click.confirm(f"Mark these {what}?")):
        say(f"{found.path}: {save(found):,} marks")
        if recipe.augft.marks is None:
            say(f"add `marks: {found.path}` to the augft: block, and run again")
        elif Path(recipe.augft.marks).absolute() != found.path.absolute():
            say(f"the recipe applies {recipe.augft.marks}, not this file; name this one in `augft.marks` to apply it")
    elif not found.marks:
        say("no statement fits")


@augft.command()
@_CONFIG
@click.option(
    "--out", type=click.Path(dir_okay=False), help="The page's file. Default: report.html in the output folder."
)
@click.option("--against", type=ConfigPath(), help="Show the result of this recipe beside the first on the page.")
@click.option("--summary", is_flag=True, help="Only print the summary; of a finished run at once, without its data.")
@click.option("--plain", is_flag=True, help="Leave the page's data unpacked, for browsers from before 2023.")
@one_line_errors
def report(config: str, out: str | None, against: str | None, summary: bool, plain: bool) -> None:
    """Print the summary of a result, and write a page that shows all of it: one HTML file.

    Of a run that has not finished, it shows the answers so far.
    """
    from axolotl_augft.cli.report import report_lines, reviewable, run_names, shown_run

    recipe = read_recipe(config)
    with ExitStack() as stack:
        found = stack.enter_context(reviewable(recipe))
        # Before the summary is printed, so that none is of a result that is not there any more.
        names = run_names([config, against] if against else [config])
        own = None if summary else shown_run(found, names[0])
        _say_unfinished(found)
        for line in report_lines(found.recipe):
            say(line)
        if own is None:
            return
        from axolotl_augft.report.page import write_report

        other = shown_run(stack.enter_context(reviewable(read_recipe(against))), names[-1]) if against else None
        path = Path(out) if out else recipe.output_dir / "report.html"
        write_report(own, path, other, plain)
        say(f"report: {path}")


@augft.command()
@_CONFIG
@click.argument("repository")
@click.option("--public", is_flag=True, help="Let everybody see a data set that is made now. Default: private.")
@click.option("--license", help="Licence for the card. Default: the teacher's, if its card is on this machine.")
@click.option("--with-sources", is_flag=True, help="Upload rewritten source rows and held-out rows, too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@one_line_errors
def push(config: str, repository: str, public: bool, license: str | None, with_sources: bool, yes: bool) -> None:
    """Upload what the teacher wrote to the Hugging Face hub, as the data set REPOSITORY (organisation/name)."""
    from axolotl_augft.cli.report import finished_result
    from axolotl_augft.cli.store import size_on_disk
    from axolotl_augft.report.push import push as push_files
    from axolotl_augft.report.push import upload_of

    recipe = read_recipe(config)
    with upload_of(recipe, finished_result(recipe), license, with_sources) as upload:
        for name, size in upload.files.items():
            say(f"  {name}: {size_on_disk(size)}")
        say(f"licence: {upload.license or 'none named; set one with --license'}")
        if yes or click.confirm(f"Upload these files to {'public' if public else 'private'} data set {repository}?"):
            say(push_files(upload, repository, private=not public))


@augft.group(cls=DefaultGroup, default="show", default_if_no_args=False)
def store() -> None:
    """Describe a recipe's response store (`axolotl augft store cfg.yml`), or drop unneeded answers (`prune`)."""


@store.command("show")
@_CONFIG
@one_line_errors
def show_store(config: str) -> None:
    """Print the store's size, its number of answers and its hit rate."""
    from axolotl_augft.cli.store import store_lines

    for line in store_lines(read_recipe(config)):
        say(line)


@store.command()
@click.argument("configs", nargs=-1, required=True, type=ConfigPath())
@click.option("--yes", is_flag=True, help="Drop them. Without this flag, only say what would be dropped.")
@one_line_errors
def prune(configs: tuple[str, ...], yes: bool) -> None:
    """Drop the answers that none of these recipes needs. Name every recipe that shares the store."""
    from axolotl_augft.cli.prune import prune as prune_store

    for line in prune_store([read_recipe(config) for config in configs], yes):
        say(line)
