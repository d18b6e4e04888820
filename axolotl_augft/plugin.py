"""The plugin that axolotl loads: checks in `register`, the stage in `load_datasets`, and the one mutation of the project.

`register` puts entries for `augft.documents` into `cfg.datasets`, which axolotl's validation wants. `load_datasets`
replaces `cfg.datasets` (and `test_datasets`, `val_set_size` where rows are held out) and returns None, so that axolotl
loads, templates, tokenizes, packs and trains as always.
"""

import logging
import sys
from types import TracebackType
from typing import Any

from axolotl.integrations.base import BasePlugin
from axolotl.utils.dict import DictDefault

from axolotl_augft.config.entries import placeholders
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import AugftError
from axolotl_augft.output.manifest import Manifest, WrittenEntry, WrittenFile, load_result, result_folder

LOG = logging.getLogger("axolotl_augft")
LOG.setLevel(logging.INFO)
# Keys of a source's entry that say which part of which file to load; an entry for our file has none of them.
_LOADING_KEYS = {"split", "data_files", "name", "revision", "shards", "shards_idx", "preprocess_shards"}


class AugFTPlugin(BasePlugin):
    """Augmented fine-tuning (arXiv 2505.00661) as a data set preprocessing stage."""

    def get_input_args(self) -> str:
        """The pydantic model of the `augft:` block."""
        return "axolotl_augft.config.augft.AugftArgs"

    def register(self, cfg: DictDefault) -> None:
        """Checks what can be checked without network or keys. Idempotent.

        Where the recipe's result is on disk, its held-out rows become `test_datasets` already here, so that `axolotl
        evaluate`, which never calls `load_datasets`, sees the same rows.

        Raises:
            ConfigError: The recipe cannot be augmented.
        """
        _one_line_errors()
        recipe = Recipe.from_cfg(cfg)
        _add_documents(cfg, recipe)
        result = load_result(recipe)
        if recipe.val_set_size and result is not None:
            cfg["augft"] = {**cfg["augft"], "val_set_size": recipe.val_set_size}
            _use_held_out(cfg, recipe, result)

    def load_datasets(self, cfg: DictDefault, preprocess: bool = False) -> None:
        """Runs the stage, or finds its result, and lets axolotl load that.

        Raises:
            AugftError: What went wrong, in one line.
        """
        from axolotl_augft.stage import run_stage

        recipe = Recipe.from_cfg(cfg)
        result = run_stage(recipe)
        apply_result(cfg, recipe, result)


def apply_result(cfg: DictDefault, recipe: Recipe, result: Manifest) -> None:
    """Replaces `cfg.datasets`, and `test_datasets` and `val_set_size` where rows are held out."""
    entries: list[DictDefault] = []
    for i, written in enumerate(result.entries):
        entries.extend(_training_entries(cfg.datasets[i], written, recipe, result, recipe.is_augmented(i)))
    if recipe.val_set_size:
        _use_held_out(cfg, recipe, result)
    cfg.datasets = entries
    LOG.info("augft: training on %d data set entries from %s", len(entries), result_folder(recipe, result.fingerprint))


def _training_entries(
    entry: Any, written: WrittenEntry, recipe: Recipe, result: Manifest, augmented: bool
) -> list[DictDefault]:
    entries: list[DictDefault] = []
    if written.original == "kept":
        entries.append(entry)
    elif written.original_file:
        entries.append(_entry_for(entry, written.original_file, recipe, result, written.segments))
    entries *= recipe.augft.repeat_original if augmented else 1
    if written.augmented:
        entries += [
            _entry_for(entry, written.augmented, recipe, result, written.segments)
        ] * recipe.augft.repeat_augmented
    if written.questions:
        entries += [_chat_entry(written.questions, recipe, result)] * recipe.augft.repeat_augmented
    return entries


def _chat_entry(file: WrittenFile, recipe: Recipe, result: Manifest) -> DictDefault:
    """An entry for questions and answers about plain text: messages, by the recipe's chat template, else the tokenizer's."""
    path = str(result_folder(recipe, result.fingerprint) / file.name)
    return DictDefault({"path": path, "ds_type": "parquet", "type": "chat_template"})


def _entry_for(entry: Any, file: WrittenFile, recipe: Recipe, result: Manifest, segments: bool) -> DictDefault:
    """The source's entry with our file in place of its own."""
    path = str(result_folder(recipe, result.fingerprint) / file.name)
    if segments:
        return DictDefault({"path": path, "ds_type": "parquet", "type": "input_output"})
    return DictDefault(
        {**{k: v for k, v in entry.items() if k not in _LOADING_KEYS}, "path": path, "ds_type": "parquet"}
    )


def _add_documents(cfg: DictDefault, recipe: Recipe) -> None:
    """Puts placeholders for `augft.documents` behind the entries of `datasets`, where they are not there yet."""
    if recipe.augft.documents is None:
        return
    added = placeholders(recipe.augft, recipe.output_dir)
    paths = {entry["path"] for entry in added}
    own = [entry for entry in cfg.get("datasets") or [] if entry.get("path") not in paths]
    cfg["datasets"] = [*own, *map(DictDefault, added)]


def _use_held_out(cfg: DictDefault, recipe: Recipe, result: Manifest) -> None:
    held_out = [
        _entry_for(cfg["datasets"][i], written.held_out, recipe, result, segments=False)
        for i, written in enumerate(result.entries)
        if written.held_out
    ]
    cfg["val_set_size"] = 0.0
    cfg["test_datasets"] = held_out


def _one_line_errors() -> None:
    """An uncaught AugftError is printed as its one line; a traceback through the trainer would only hide it."""
    before = sys.excepthook
    if getattr(before, "__module__", None) == __name__:
        return

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, AugftError):
            sys.stderr.write(f"augft: error: {error}\n")
        else:
            before(kind, error, trace)

    sys.excepthook = hook
