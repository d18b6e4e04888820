"""An axolotl config, raw or validated -> a `Recipe`: the part of it that this stage reads.

Axolotl hands the raw config to `register` and the validated one to `load_datasets`. `Recipe.from_cfg` makes the same
recipe, with the same `key`, from both, so that each finds the results of the other.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from axolotl_augft.config.augft import AugftConfig
from axolotl_augft.config.augment import Augment
from axolotl_augft.config.entries import (
    DatasetEntry,
    check_assignment,
    check_type,
    document_entries,
    listed,
    placeholders,
    read_entries,
    replay_entry,
)
from axolotl_augft.config.parsing import parse_augft
from axolotl_augft.config.plugin_line import augft_block
from axolotl_augft.config.result_settings import result_settings
from axolotl_augft.errors import ConfigError
from axolotl_augft.files.code_digest import code_digest
from axolotl_augft.formats import format_of

PREPARED_PATH = "last_run_prepared"
DEFAULT_SEED = 42
HELD_OUT = "-held-out.parquet"

_PATTERN_CHARACTERS = set("*?[]")
_CANNOT_AUGMENT = {
    "rl": "its rows hold preferences, or prompts whose answers are scored, which an inference cannot be turned into",
    "streaming": "rows are read while training runs, but augmentation needs them all before",
    "pretraining_dataset": "its rows are streamed while training runs, but augmentation needs them all before; "
    "list them under datasets",
    "skip_prepare_dataset": "axolotl then leaves out the preparation that the augmented rows go through",
}


@dataclass(frozen=True)
class Training:
    """The settings that determine how many optimizer steps the training rows take; `sequence_len` is in tokens."""

    sequence_len: int
    micro_batch_size: int
    gradient_accumulation_steps: int
    num_epochs: float
    max_steps: int | None
    sample_packing: bool
    world_size: int


@dataclass(frozen=True)
class Assignment:
    """An `augment` entry together with the `datasets` entries that it applies to.

    Attributes:
        name: Identifies the assignment within the recipe.
        augment: The settings of the strategy.
        entries: Indices of the `datasets` entries.
    """

    name: str
    augment: Augment
    entries: frozenset[int]


@dataclass(frozen=True)
class Recipe:
    """What the stage reads of an axolotl config.

    Attributes:
        augft: The `augft:` block.
        datasets: The entries of `datasets`, followed by one for each path of `augft.documents`.
        test_datasets: The user's own `test_datasets`, without the rows that this stage has held out.
        val_set_size: Rows to hold out, as a fraction below 1, else a count; 0 for none.
        seed: Seed of every random choice of the stage and, by default, of the requests.
        base_model: The student, and the teacher model if none is named.
        tokenizer: Where the student's tokenizer is loaded from.
        special_tokens: Names and texts of the recipe's `special_tokens`, sorted.
        names_chat_template: The recipe sets a chat template.
        train_on_inputs: axolotl trains on questions too, not only on answers.
        prepared_path: axolotl's `dataset_prepared_path`.
        hub_token: The recipe's `hf_use_auth_token`.
        deduplicates: axolotl removes repeated rows (`dataset_exact_deduplication`).
        use_ray: axolotl trains on a Ray cluster, where judging and row making run too.
        training: What determines the number of optimizer steps.
    """

    augft: AugftConfig
    datasets: tuple[DatasetEntry, ...]
    test_datasets: tuple[DatasetEntry, ...]
    val_set_size: float
    seed: int
    base_model: str
    tokenizer: str
    special_tokens: tuple[tuple[str, str], ...]
    names_chat_template: bool
    train_on_inputs: bool
    prepared_path: str
    hub_token: bool | None
    deduplicates: bool
    use_ray: bool
    training: Training

    @classmethod
    def from_cfg(cls, cfg: Mapping[str, Any]) -> "Recipe":
        """Read a recipe from a raw or a validated axolotl config.

        Raises:
            ConfigError: The `augft:` block or a `datasets` entry is wrong, or the recipe is of a kind that cannot be
                augmented.
        """
        augft = parse_augft(augft_block(cfg))
        _check_kind(cfg, augft)
        _check_output_dir(_output_dir(augft, _prepared_path(cfg)))
        held_out_by_us = _holds_out_already(cfg, augft)
        val_set_size = augft.val_set_size if held_out_by_us else cfg.get("val_set_size")
        recipe = cls(
            augft=augft,
            datasets=(*own_datasets(cfg, augft), *document_entries(augft)),
            test_datasets=() if held_out_by_us else read_entries(cfg, "test_datasets"),
            val_set_size=float(val_set_size or 0),
            seed=DEFAULT_SEED if cfg.get("seed") is None else int(cfg["seed"]),
            base_model=str(cfg.get("base_model") or ""),
            tokenizer=str(cfg.get("tokenizer_config") or cfg.get("base_model_config") or cfg.get("base_model") or ""),
            special_tokens=tuple(
                sorted((k, v) for k, v in (cfg.get("special_tokens") or {}).items() if isinstance(v, str))
            ),
            names_chat_template=bool(cfg.get("chat_template") or cfg.get("chat_template_jinja")),
            train_on_inputs=bool(cfg.get("train_on_inputs")),
            prepared_path=_prepared_path(cfg),
            hub_token=cfg.get("hf_use_auth_token"),
            deduplicates=bool(cfg.get("dataset_exact_deduplication")),
            use_ray=bool(cfg.get("use_ray")),
            training=_training(cfg),
        )
        if augft.sentence_splitting == "cumulative" and recipe.train_on_inputs:
            raise ConfigError(
                "train_on_inputs is true, so cumulative rows would be trained on their context too; set it to false"
            )
        if augft.probe is not None and not (augft.probe.served.model or recipe.base_model):
            raise ConfigError(
                "augft.probe: the recipe has no base_model, so there is no student to ask; name it in "
                "augft.probe.student.model, or remove augft.probe"
            )
        recipe._check_entries()
        return recipe

    @property
    def output_dir(self) -> Path:
        """Folder for everything that the stage writes, except a store at `augft.store`."""
        return _output_dir(self.augft, self.prepared_path)

    @property
    def store_path(self) -> Path:
        """SQLite file of the response store."""
        return Path(self.augft.store or self.output_dir / "responses.sqlite")

    @cached_property
    def key(self) -> str:
        """Digest of this package's code and of every setting that changes the result, as 32 hexadecimal digits.

        The contents of data files, prompts and worked examples are not part of it; `output.reuse` compares them.
        """
        splits = self.augft.sentence_splitting == "cumulative"
        counts_tokens = self.augft.mix is not None or self.augft.replay is not None
        content = {
            "code": code_digest(),
            "augft": result_settings(self.augft),
            "datasets": self.datasets,
            "test_datasets": self.test_datasets,
            "val_set_size": self.val_set_size,
            "seed": self.seed,
            "base_model": self.base_model,
            "tokenizer": self.tokenizer,
            "special_tokens": self.special_tokens,
            "sequence_len": self.training.sequence_len if counts_tokens or splits else None,
            "train_on_inputs": self.train_on_inputs if counts_tokens else None,
            # It decides whether the package's own questions are chats.
            "names_chat_template": self.names_chat_template if self.augft.replay is not None else None,
        }
        return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]

    @cached_property
    def replay(self) -> DatasetEntry | None:
        """The entry of `augft.replay`; without a type if the package's questions fit the student's template."""
        return replay_entry(self.augft)

    def is_augmented(self, entry: int) -> bool:
        """Tell whether the `datasets` entry with index `entry` is augmented, that is, not under `augft.exclude`."""
        return self.datasets[entry].path not in self.augft.exclude

    @property
    def chats_about_text(self) -> bool:
        """Whether chat rows are written about plain text, for which the student needs a chat template."""
        asked = ((a.augment, self.datasets[i]) for a in self.assignments() for i in a.entries)
        return any(augment.makes_chats and format_of(entry.layout).writes == "statements" for augment, entry in asked)

    def assignments(self) -> list[Assignment]:
        """List which augmentations apply to which entries.

        `augft.augment` applies to all augmented entries except those with settings of their own in `augft.sources`,
        whose assignments follow.
        """
        own = {source.path: source for source in self.augft.sources}
        paths = {i: e.path for i, e in enumerate(self.datasets) if self.is_augmented(i)}
        general = frozenset(i for i, path in paths.items() if path not in own)
        found = [Assignment(str(i), augment, general) for i, augment in enumerate(self.augft.augment) if general]
        for path, source in own.items():
            entries = frozenset(i for i, p in paths.items() if p == path)
            found += [Assignment(f"{path}#{i}", augment, entries) for i, augment in enumerate(source.augment)]
        return found

    def _check_entries(self) -> None:
        paths = [e.path for e in self.datasets]
        for key, path in [
            *(("exclude", p) for p in self.augft.exclude),
            *(("sources", s.path) for s in self.augft.sources),
        ]:
            if path not in paths:
                raise ConfigError(
                    f"augft.{key}: no datasets entry has the path {path!r}; the paths are {listed(paths)}"
                )
            if key == "sources" and path in self.augft.exclude:
                raise ConfigError(
                    f"augft.sources has settings for {path!r}, which augft.exclude takes out; remove one of the two"
                )
        augmented = [e for i, e in enumerate(self.datasets) if self.is_augmented(i)]
        if not augmented:
            raise ConfigError(
                "augft.exclude names every datasets entry, so nothing is left to augment; remove one or drop the plugin"
            )
        for entry in augmented:
            check_type(entry)
        if self.replay is not None and self.replay.type is not None:
            check_type(self.replay, "augft.replay", "Take data of another type")
        for assignment in self.assignments():
            for i in sorted(assignment.entries):
                check_assignment(self.datasets[i], assignment.augment)
        if self.augft.sentence_splitting != "none" and all(
            format_of(e.layout).writes == "questions" for e in augmented
        ):
            raise ConfigError(
                f"augft.sentence_splitting is {self.augft.sentence_splitting}, but no entry that is augmented holds "
                "plain text: splitting is for documents (type completion), not for questions and answers; remove it"
            )


def _holds_out_already(cfg: Mapping[str, Any], augft: AugftConfig) -> bool:
    """Tell whether `register` has already replaced `val_set_size` by the held-out rows of a finished result.

    Raises:
        ConfigError: `augft.val_set_size` is set, but not by the plugin.
    """
    if augft.val_set_size is None:
        return False
    tests = [str(e.get("path")) for e in cfg.get("test_datasets") or []]
    if not augft.val_set_size or cfg.get("val_set_size") or not tests or not all(t.endswith(HELD_OUT) for t in tests):
        raise ConfigError(
            "augft.val_set_size is set by the plugin itself; set val_set_size at the top level of the recipe"
        )
    return True


def _check_output_dir(folder: Path) -> None:
    """Raise ConfigError if loaders of data sets would take the folder's name for a pattern."""
    if found := sorted(set(str(folder.absolute())) & _PATTERN_CHARACTERS):
        raise ConfigError(
            f"augft.output_dir {str(folder.absolute())!r} must not hold {' or '.join(found)}, by which loaders of data "
            "sets take a path for a pattern; name another folder"
        )


def _check_kind(cfg: Mapping[str, Any], augft: AugftConfig) -> None:
    for key, reason in _CANNOT_AUGMENT.items():
        if cfg.get(key):
            raise ConfigError(f"{key} is set, which augft cannot work with: {reason}. Remove {key}, or drop the plugin")
    if not cfg.get("datasets") and not augft.documents:
        raise ConfigError(
            "the recipe has no datasets entry, so there is nothing to augment; add one under datasets, or "
            "augft.documents"
        )


def own_datasets(cfg: Mapping[str, Any], augft: AugftConfig) -> tuple[DatasetEntry, ...]:
    """Read the entries of `datasets`, without the placeholders that the plugin adds for `augft.documents`."""
    added = {entry["path"] for entry in placeholders(augft, _output_dir(augft, _prepared_path(cfg)))}
    return tuple(entry for entry in read_entries(cfg, "datasets") if entry.path not in added)


def _prepared_path(cfg: Mapping[str, Any]) -> str:
    return str(cfg.get("dataset_prepared_path") or PREPARED_PATH)


def _output_dir(augft: AugftConfig, prepared_path: str) -> Path:
    return Path(augft.output_dir or Path(prepared_path) / "augft")


def _training(cfg: Mapping[str, Any]) -> Training:
    micro = int(cfg.get("micro_batch_size") or 1)
    return Training(
        sequence_len=int(cfg.get("sequence_len") or 512),
        micro_batch_size=micro,
        gradient_accumulation_steps=int(
            cfg.get("gradient_accumulation_steps") or max(1, (cfg.get("batch_size") or micro) // micro)
        ),
        num_epochs=float(cfg.get("num_epochs") or 1),
        max_steps=cfg.get("max_steps") or None,
        sample_packing=bool(cfg.get("sample_packing")),
        world_size=int(os.environ.get("WORLD_SIZE", "1")),
    )
