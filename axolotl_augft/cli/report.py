"""Finished result -> its summary, without reading any data."""

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import OutputError
from axolotl_augft.output.manifest import Manifest, load_record, load_result
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
            f"no finished result for this recipe in {recipe.output_dir}; make one with `axolotl augft run`"
        )
    return result
