"""axolotl's config -> the same config with the augmented data sets: the plugin that axolotl loads.

`register` checks the recipe and adds entries for `augft.documents` to `cfg.datasets`, which axolotl's validation
requires. With `use_ray` it also runs the stage: `load_datasets` is called by Ray's workers then, in other folders and
with the cluster in the training's hands. `load_datasets` runs the stage, replaces `cfg.datasets` (and `test_datasets`
and `val_set_size` if rows are held out) and returns None, so that axolotl loads, templates, tokenizes, packs and trains
as usual. No other part of the project mutates its inputs.
"""

import copy
import logging
import sys
import traceback
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from axolotl.integrations.base import BasePlugin
from axolotl.utils.dict import DictDefault

from axolotl_augft.config.plugin_line import is_listed, refuse_misspelt_block
from axolotl_augft.errors import AugftError

if TYPE_CHECKING:
    from axolotl_augft.config.recipe import Recipe
    from axolotl_augft.output.manifest import Manifest, WrittenEntry, WrittenFile

LOG = logging.getLogger("axolotl_augft")
LOG.setLevel(logging.INFO)
NEWEST_TESTED = "0.21"
# Keys that select the part of the source to load. They do not apply to the stage's own file, so its entry drops them.
_LOADING_KEYS = {"split", "data_files", "name", "revision", "shards", "shards_idx", "preprocess_shards", "weight"}


class AugFTPlugin(BasePlugin):
    """Augmented fine-tuning (arXiv 2505.00661) as a data set preprocessing stage.

    axolotl 0.21 and later load it for every config. A config that has no `augft:` block and does not list the plugin is
    left alone, and causes no further imports.
    """

    _has_block = True
    _made: "tuple[Recipe, Manifest] | None" = None

    def get_input_args(self) -> str | None:
        """Return the path of the pydantic model for the `augft:` block, or None for a config without that block."""
        return "axolotl_augft.config.augft.AugftArgs" if self._has_block else None

    def register(self, cfg: DictDefault) -> None:
        """Check the recipe, as far as that needs no network and no API key; may be called repeatedly.

        If axolotl is about to train on Ray, run the stage, too.

        If the recipe's result is on disk already, its held-out rows become `test_datasets` here, because `axolotl
        evaluate` never calls `load_datasets` and must see the same rows.

        Raises:
            ConfigError: The recipe cannot be augmented, or misspells `augft`.
            AugftError: The stage failed, of a training on Ray.
        """
        self._has_block = "augft" in cfg
        if not self._has_block and not is_listed(cfg):
            refuse_misspelt_block(cfg)
            return
        from axolotl_augft.config.recipe import Recipe
        from axolotl_augft.output.manifest import load_result

        _one_line_errors()
        _warn_of_newer_axolotl(version("axolotl"))
        recipe = Recipe.from_cfg(cfg)
        if recipe.use_ray:
            recipe = _with_absolute_folders(cfg, recipe)
        _add_documents(cfg, recipe)
        if recipe.use_ray and _is_started_by_training():
            _run_before_ray(cfg, recipe)
        result = load_result(recipe)
        if recipe.val_set_size and result is not None:
            cfg["augft"] = {**cfg["augft"], "val_set_size": recipe.val_set_size}
            _use_held_out(cfg, recipe, result)

    def load_datasets(self, cfg: DictDefault, preprocess: bool = False) -> None:
        """Run the stage, or find its result, and point `cfg` at it; returns None, so that axolotl loads the data.

        Raises:
            AugftError: The stage failed; the message is one line.
        """
        if cfg.get("augft") is None:
            return
        from axolotl_augft.config.recipe import Recipe
        from axolotl_augft.stage import run_stage

        _warn_of_shared_attention(cfg)
        recipe = Recipe.from_cfg(cfg)
        result = run_stage(recipe)
        self._made = recipe, result
        apply_result(cfg, recipe, result)

    def add_callbacks_pre_trainer(self, cfg: DictDefault, model: Any) -> list[Any]:
        """Return the callback that adds the stage's figures to the runs of experiment trackers."""
        if self._made is None:
            return []
        from axolotl_augft.report.tracking import TrackingCallback, tracked

        return [TrackingCallback(tracked(*self._made))]


def _with_absolute_folders(cfg: DictDefault, recipe: "Recipe") -> "Recipe":
    """Name the stage's folders by absolute paths, since Ray's workers run in another folder; return the new recipe."""
    own = {"output_dir": str(recipe.output_dir.absolute()), "store": str(recipe.store_path.absolute())}
    cfg["augft"] = {**cfg["augft"], **own}
    return type(recipe).from_cfg(cfg)


def _is_started_by_training() -> bool:
    """Tell whether axolotl's training command calls us, and not a Ray worker or another command.

    axolotl calls no hook between `register` and the start of Ray's workers, and `register` gets the config alone, in
    every command: also in those that must not ask a teacher (`inference`, `merge-lora`, `evaluate`). What was typed
    says less than the call: training is started by click, by `python -m` under a launcher, or from a program. The
    function is told by its file, because `python -m` makes another function of it than an import does.
    """
    return any(
        frame.f_code.co_name == "do_cli" and Path(frame.f_code.co_filename).parts[-3:] == ("axolotl", "cli", "train.py")
        for frame, _ in traceback.walk_stack(None)
    )


def _run_before_ray(cfg: DictDefault, recipe: "Recipe") -> None:
    """Run the stage, or find its result, before Ray gives the cluster to the training.

    Raises:
        AugftError: The stage failed, or the workers would not find its data.
        ValueError: axolotl refuses the recipe, which it would otherwise say after the teacher was asked.
    """
    from axolotl.utils.config import validate_config

    from axolotl_augft.output.reuse import refuse_relative_paths
    from axolotl_augft.stage import run_stage

    refuse_relative_paths(recipe)
    validate_config(DictDefault(copy.deepcopy(cfg.to_dict())))
    run_stage(recipe)


@cache
def _warn_of_newer_axolotl(found: str) -> None:
    from packaging.version import Version

    if Version(found).release[:2] > Version(NEWEST_TESTED).release:
        LOG.warning(
            "augft: axolotl %s is newer than %s, the newest that this version of axolotl-augft was tested with",
            found,
            NEWEST_TESTED,
        )


def _warn_of_shared_attention(cfg: DictDefault) -> None:
    """Warn if rows that share a packed sequence attend to each other: a source row and what was written about it."""
    if cfg.sample_packing and not cfg.attn_decontaminates_packing:
        chosen = cfg.attn_implementation
        LOG.warning(
            "augft: sample_packing %s lets the rows of a sequence see each other, so that what was written about a "
            "source row can be copied from it instead of learnt; set attn_implementation to sdpa, eager, "
            "flash_attention_2 or flex_attention",
            f"with attn_implementation {chosen}" if chosen else "without attn_implementation",
        )


def apply_result(cfg: DictDefault, recipe: "Recipe", result: "Manifest") -> None:
    """Point `cfg.datasets` to a result; if rows are held out, also set `test_datasets` and `val_set_size`."""
    entries: list[DictDefault] = []
    for i, written in enumerate(result.entries):
        entries.extend(_training_entries(cfg.datasets[i], written, recipe, result, recipe.is_augmented(i)))
    if result.replay:
        entries.extend(_repeated(result.replay.file, lambda file: _replay_entry(file, recipe, result)))
    if recipe.val_set_size:
        _use_held_out(cfg, recipe, result)
    cfg.datasets = entries
    LOG.info("augft: training on %d data set entries from %s", len(entries), recipe.output_dir / result.fingerprint)


def _training_entries(
    entry: Any, written: "WrittenEntry", recipe: "Recipe", result: "Manifest", augmented: bool
) -> list[DictDefault]:
    config = recipe.augft

    def own(file: "WrittenFile") -> DictDefault:
        return _entry_for(entry, file, recipe, result, written.segments)

    originals = _repeated(written.original_file, own)
    if written.original == "kept":
        originals = [DictDefault({k: v for k, v in entry.items() if k != "weight"})]
    chats = _repeated(written.questions, lambda file: _chat_entry(file, recipe, result))
    return (
        originals * (config.repeat_original if augmented else 1)
        + _repeated(written.augmented, own) * config.repeat_augmented
        + chats * config.repeat_augmented
    )


def _repeated(file: "WrittenFile | None", entry: Callable[["WrittenFile"], DictDefault]) -> list[DictDefault]:
    """Make the entries of a file: one for each of its repeats, and one for the rows that are trained on once more."""
    if file is None:
        return []
    return [entry(file)] * file.repeats + ([entry(file.part)] if file.part else [])


def _replay_entry(file: "WrittenFile", recipe: "Recipe", result: "Manifest") -> DictDefault:
    """Make an entry for the rows of `augft.replay`, laid out as its own block says."""
    assert result.replay is not None
    path = str(recipe.output_dir / result.fingerprint / file.name)
    return DictDefault({**result.replay.layout, "path": path, "ds_type": "parquet"})


def _chat_entry(file: "WrittenFile", recipe: "Recipe", result: "Manifest") -> DictDefault:
    """Make an entry for chat rows about plain text, for the recipe's chat template or else the tokenizer's."""
    path = str(recipe.output_dir / result.fingerprint / file.name)
    return DictDefault({"path": path, "ds_type": "parquet", "type": "chat_template"})


def _entry_for(entry: Any, file: "WrittenFile", recipe: "Recipe", result: "Manifest", segments: bool) -> DictDefault:
    """Copy the source's entry, with the stage's file in place of the source's own."""
    path = str(recipe.output_dir / result.fingerprint / file.name)
    if segments:
        return DictDefault({"path": path, "ds_type": "parquet", "type": "input_output"})
    return DictDefault(
        {**{k: v for k, v in entry.items() if k not in _LOADING_KEYS}, "path": path, "ds_type": "parquet"}
    )


def _add_documents(cfg: DictDefault, recipe: "Recipe") -> None:
    """Append placeholders for `augft.documents` to `cfg.datasets`, without duplicating those of an earlier call."""
    if recipe.augft.documents is None:
        return
    from axolotl_augft.config.entries import placeholders

    added = placeholders(recipe.augft, recipe.output_dir)
    paths = {entry["path"] for entry in added}
    own = [entry for entry in cfg.get("datasets") or [] if entry.get("path") not in paths]
    cfg["datasets"] = [*own, *map(DictDefault, added)]


def _use_held_out(cfg: DictDefault, recipe: "Recipe", result: "Manifest") -> None:
    held_out = [
        _entry_for(cfg["datasets"][i], written.held_out, recipe, result, segments=False)
        for i, written in enumerate(result.entries)
        if written.held_out
    ]
    cfg["val_set_size"] = 0.0
    cfg["test_datasets"] = held_out


def _one_line_errors() -> None:
    """Print an uncaught AugftError as one line; a traceback through the trainer would only hide it."""
    from axolotl_augft.text.terminal import clean_log

    clean_log(LOG.name)
    before = sys.excepthook
    if getattr(before, "__module__", None) == __name__:
        return

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, AugftError):
            sys.stderr.write(f"augft: error: {error}\n")
        else:
            before(kind, error, trace)

    sys.excepthook = hook
