"""Finished result -> its summary, without reading any data; or a page that shows all of it."""

from pathlib import Path

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import OutputError
from axolotl_augft.output.manifest import MANIFEST, Manifest, load_record, load_result
from axolotl_augft.output.summary import summary_lines
from axolotl_augft.store.run_record import RunRecord


def report_lines(recipe: Recipe) -> list[str]:
    """Format the summary of the recipe's result.

    Raises:
        OutputError: The recipe has no finished result.
    """
    record = load_record(recipe)
    return summary_lines(finished_result(recipe), recipe, record.run if record else RunRecord())


def finished_result(recipe: Recipe) -> Manifest:
    """Load the recipe's result, even if its data have changed since.

    Raises:
        OutputError: The recipe has no finished result.
    """
    result = load_result(recipe)
    if result is None:
        raise OutputError(
            f"no finished result for this recipe in {recipe.output_dir}{_what_is_there(recipe)}; make one with "
            "`axolotl augft run`"
        )
    return result


def _what_is_there(recipe: Recipe) -> str:
    """Say what an unfinished run, other settings or another version left, as the rest of a sentence."""
    if next(recipe.output_dir.glob(f"*/{MANIFEST}"), None):
        return " (those there are of other settings or of another version; stored answers are used again)"
    return " (an unfinished run left its answers there, which are used again)" if recipe.store_path.is_file() else ""


def current_result(recipe: Recipe) -> Manifest:
    """Find the recipe's result, whose data must be as they were when it was made.

    Raises:
        OutputError: There is no result, or its inputs have changed since.
    """
    # Imported here, so that the summary alone costs no heavy import.
    from axolotl_augft.output.reuse import find_result

    finished_result(recipe)
    result = find_result(recipe)
    if result is None:
        raise OutputError(
            "the data or the prompts have changed since this result was made; make it anew with `axolotl augft run`"
        )
    return result


def write_page(recipe: Recipe, config: str, out: str | None, against: tuple[Recipe, str] | None, plain: bool) -> Path:
    """Write the page of a recipe's result, and return its path.

    Args:
        recipe: The recipe.
        config: The path of its file, by whose name the page calls it.
        out: The file to write; `report.html` in the output folder by default.
        against: Another recipe with its file, whose result stands beside the first.
        plain: Leave the data unpacked.

    Raises:
        OutputError: A result is missing or not current, or the file cannot be written.
    """
    from axolotl_augft.report.page import FinishedRun, write_report

    path = Path(out) if out else recipe.output_dir / "report.html"
    other = FinishedRun(against[0], Path(against[1]).stem, current_result(against[0])) if against else None
    write_report(FinishedRun(recipe, Path(config).stem, current_result(recipe)), path, other, plain)
    return path
