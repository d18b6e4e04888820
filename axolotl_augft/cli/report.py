"""Recipe -> its result to look at, and its summary, without reading any data if the run has finished."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import OutputError
from axolotl_augft.output.manifest import MANIFEST, Manifest, load_record, load_result
from axolotl_augft.output.summary import summary_lines
from axolotl_augft.store.run_record import RunRecord

if TYPE_CHECKING:
    from axolotl_augft.report.page import ShownRun

_CHANGED = (
    "the marks, the data or the prompts have changed since this result was made; make it anew with `axolotl augft run`"
)


@dataclass(frozen=True)
class Reviewable:
    """A recipe whose result can be looked at, if it has one.

    Attributes:
        recipe: The recipe; of an unfinished run, with a temporary folder as its output folder.
        unfinished: What an unfinished run has come to, or what has changed since the result was made; "" otherwise.
        verifying: How far the verification has come, "" if it has finished or there is none.
    """

    recipe: Recipe
    unfinished: str = ""
    verifying: str = ""


@contextmanager
def reviewable(recipe: Recipe) -> Iterator[Reviewable]:
    """Find the recipe's result; of an unfinished run, or after a change, one is made of the stored answers.

    Raises:
        AugftError: A source, the store, a prompt, a setting or the output folder cannot be used.
    """
    result = load_result(recipe)
    if result is not None and _inputs_are_current(recipe):
        yield Reviewable(recipe)
        return
    as_it_was = Reviewable(recipe, "" if result is None else _CHANGED)
    if not recipe.store_path.is_file():
        yield as_it_was
        return
    # Imported here, so that the summary of a finished result costs no heavy import.
    from axolotl_augft.cli.unfinished import result_so_far

    with result_so_far(recipe) as found:
        yield found or as_it_was


def _inputs_are_current(recipe: Recipe) -> bool:
    """Whether the local files that the result was made of are as they were; unlike `find_result`, it loads no data."""
    record = load_record(recipe)
    return record is not None and all(stamp.is_current() for stamp in record.inputs)


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
    """Say what other settings, another version or an unfinished run left, as the rest of a sentence."""
    if next(recipe.output_dir.glob(f"*/{MANIFEST}"), None):
        return " (those there are of other settings or of another version; stored answers are used again)"
    return " (answers in the response store are used again)" if recipe.store_path.is_file() else ""


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
        raise OutputError(_CHANGED)
    return result


def run_names(configs: Sequence[str]) -> list[str]:
    """Return what the page calls runs: the names of their recipes' files, with folders as far as these are equal."""
    paths = [Path(config).absolute().with_suffix("") for config in configs]
    parts = 1
    while len({path.parts[-parts:] for path in paths}) < len({*paths}):
        parts += 1
    return ["/".join(path.parts[-parts:]) for path in paths]


def shown_run(found: Reviewable, name: str) -> "ShownRun":
    """Return a recipe's result for the page, which calls it by this name.

    Raises:
        OutputError: There is no result, or its inputs have changed since.
    """
    from axolotl_augft.report.page import ShownRun

    return ShownRun(found.recipe, name, current_result(found.recipe), found.unfinished, found.verifying)
