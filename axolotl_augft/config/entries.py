"""Entries of `datasets` as a recipe has them -> what the stage reads of them, checked as far as that needs no data."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axolotl_augft.config.augft import AugftConfig
from axolotl_augft.config.augment import Augment
from axolotl_augft.errors import ConfigError
from axolotl_augft.formats import SUPPORTED_TYPES, USER_DEFINED, base_type, format_of, is_supported, why_unsupported

_LOADING_KEYS = (
    *("name", "split", "data_files", "ds_type", "revision", "shards", "shards_idx", "preprocess_shards"),
    "trust_remote_code",
)
_LAYOUT_KEYS = ("type", "field")
_CHAT_LAYOUT_KEYS = (
    *("field_messages", "message_property_mappings", "roles", "field_thinking", "template_thinking_key"),
    *("message_field_training", "message_field_training_detail"),
)


@dataclass(frozen=True)
class DatasetEntry:
    """What the stage reads of an entry of `datasets` or `test_datasets`.

    Attributes:
        path: File, folder or hub name, as the recipe has it.
        layout: The keys that say how a row is laid out: `type`, `field`, the names of a chat's columns …
        loading: The keys that say which rows axolotl's loader reads: `split`, `data_files`, `shards` …
        weight: Share of the rows to use, above 0 and at most 1.
        is_documents: Whether the entry stands for a path of `augft.documents`.
    """

    path: str
    layout: Mapping[str, Any] = field(default_factory=dict)
    loading: Mapping[str, Any] = field(default_factory=dict)
    weight: float = 1.0
    is_documents: bool = False

    @property
    def type(self) -> Any:
        """The entry's `type:`: a name, a block of column names, or None."""
        return self.layout.get("type")

    def for_loader(self) -> dict[str, Any]:
        """The entry for axolotl's loader."""
        return {"path": self.path, **self.loading, **self.layout}


def read_entries(cfg: Mapping[str, Any], key: str) -> tuple[DatasetEntry, ...]:
    """Read the entries under `key` of a raw or validated config, without nulls and without the trainer's own keys.

    Raises:
        ConfigError: One has no path, or a weight that is no share.
    """
    entries = []
    for i, entry in enumerate(cfg.get(key) or []):
        if not isinstance(entry, Mapping) or not entry.get("path"):
            raise ConfigError(f"{key}[{i}] has no path; give the file, folder or hub name of the data set")
        layout = _chosen(entry, _LAYOUT_KEYS)
        if base_type(entry.get("type")) == "chat_template":
            layout |= _chat_layout(entry)
        weight = _weight(entry, f"{key}[{i}].weight") if key == "datasets" else 1.0
        entries.append(DatasetEntry(entry["path"], layout, _chosen(entry, _LOADING_KEYS), weight))
    return tuple(entries)


def _chosen(entry: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: _plain(entry[key]) for key in keys if entry.get(key)}


def _weight(entry: Mapping[str, Any], where: str) -> float:
    """The share of an entry's rows that axolotl uses; 1 where it knows no such key (before 0.20) and drops it."""
    given = entry.get("weight")
    if given is None or not _axolotl_knows_weight():
        return 1.0
    try:
        weight = float(given)
    except (TypeError, ValueError):
        weight = 0
    if not 0 < weight <= 1:
        raise ConfigError(f"{where} must be above 0 and at most 1, the share of its rows to use, got {given!r}")
    return weight


def _axolotl_knows_weight() -> bool:
    from axolotl.utils.schemas.datasets import SFTDataset

    return "weight" in SFTDataset.model_fields


def _chat_layout(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Read how messages are laid out; the same for a raw entry and for one that axolotl has filled with defaults."""
    keys = _chosen(entry, _CHAT_LAYOUT_KEYS)
    mappings = {
        "role": entry.get("message_field_role") or "role",
        "content": entry.get("message_field_content") or "content",
        **keys.get("message_property_mappings", {}),
    }
    return {**keys, "message_property_mappings": mappings}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items() if v is not None}
    return list(value) if isinstance(value, list | tuple) else value


def check_type(entry: DatasetEntry) -> None:
    """Raises ConfigError where an entry's type cannot be augmented."""
    if is_supported(entry.type):
        return
    name = "(none)" if entry.type is None else repr(entry.type)
    reason = why_unsupported(entry.type)
    raise ConfigError(
        f"datasets entry {entry.path!r}: type {name} cannot be augmented{': ' + reason if reason else ''}; "
        f"supported: {listed([*SUPPORTED_TYPES, USER_DEFINED])}. Name the path under augft.exclude to train on it as "
        "it is"
    )


def check_assignment(entry: DatasetEntry, augment: Augment) -> None:
    """Raises ConfigError where rows of questions and answers are to become what they cannot be."""
    if format_of(entry.layout).writes == "statements":
        return
    if conflict := augment.conflict_with_questions():
        raise ConfigError(
            f"datasets entry {entry.path!r} holds questions and answers (type {base_type(entry.type)}), "
            f"which {conflict}; "
            "give it an augment list of its own under augft.sources"
        )


def listed(values: Iterable[Any]) -> str:
    """Values with commas between them."""
    return ", ".join(str(v) for v in values)


def document_entries(augft: AugftConfig) -> tuple[DatasetEntry, ...]:
    """The entries of the recipe for the files and folders under `augft.documents`."""
    paths = augft.documents.paths if augft.documents else []
    return tuple(DatasetEntry(path, {"type": "completion"}, is_documents=True) for path in paths)


def placeholders(augft: AugftConfig, output_dir: Path) -> list[dict[str, Any]]:
    """What stands for those entries in `cfg.datasets`, in the same order."""
    return [
        {"path": str(converted_file(output_dir, entry.path)), "ds_type": "parquet", "type": "completion"}
        for entry in document_entries(augft)
    ]


def converted_file(output_dir: Path, path: str) -> Path:
    """The Parquet file of the rows of a path; the stage keeps it up to date."""
    return output_dir / "documents" / f"{hashlib.sha256(path.encode()).hexdigest()[:16]}.parquet"
