"""Entries of `datasets` in a recipe -> the keys that the stage reads, checked as far as possible without the data."""

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
        is_documents: The entry stands for a path of `augft.documents`.
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
        """Return the entry as a dict for axolotl's loader."""
        return {"path": self.path, **self.loading, **self.layout}


def read_entries(cfg: Mapping[str, Any], key: str) -> tuple[DatasetEntry, ...]:
    """Read the entries under `key` of a raw or validated config, without unset keys and keys that the stage ignores.

    Raises:
        ConfigError: An entry has no path, or its weight is not above 0 and at most 1.
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
    """Return the share of an entry's rows that axolotl uses; 1 before axolotl 0.20, which drops the key."""
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
    """Read how messages are laid out, with the same result for a raw entry and one that axolotl has validated."""
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


def check_type(
    entry: DatasetEntry,
    where: str = "datasets entry",
    remedy: str = "Name the path under augft.exclude to train on it as it is",
) -> None:
    """Check that the stage can read an entry's type.

    Args:
        entry: The entry.
        where: What it is, for the error.
        remedy: What to do about another type, for the error.

    Raises:
        ConfigError: It cannot.
    """
    if is_supported(entry.type):
        return
    name = "(none)" if entry.type is None else repr(entry.type)
    reason = why_unsupported(entry.type)
    cannot = "cannot be augmented" if where == "datasets entry" else "cannot be read by the stage"
    raise ConfigError(
        f"{where} {entry.path!r}: type {name} {cannot}{': ' + reason if reason else ''}; "
        f"supported: {listed([*SUPPORTED_TYPES, USER_DEFINED])}. {remedy}"
    )


def check_assignment(entry: DatasetEntry, augment: Augment) -> None:
    """Check that an entry's rows can become what an `augment` entry writes.

    Raises:
        ConfigError: The rows are questions and answers, which the `augment` entry does not allow.
    """
    if format_of(entry.layout).writes == "statements":
        return
    if conflict := augment.conflict_with_questions():
        raise ConfigError(
            f"datasets entry {entry.path!r} holds questions and answers (type {base_type(entry.type)}), "
            f"which {conflict}; give it an augment list of its own under augft.sources"
        )


def listed(values: Iterable[Any]) -> str:
    """Join values with commas, for messages."""
    return ", ".join(str(v) for v in values)


def document_entries(augft: AugftConfig) -> tuple[DatasetEntry, ...]:
    """Make an entry for each file or folder under `augft.documents`."""
    paths = augft.documents.paths if augft.documents else []
    return tuple(DatasetEntry(path, {"type": "completion"}, is_documents=True) for path in paths)


def replay_entry(augft: AugftConfig) -> DatasetEntry | None:
    """Make the entry of `augft.replay`; None if the block has none."""
    if augft.replay is None:
        return None
    block = augft.replay.model_dump(exclude={"share"}, exclude_none=True)
    return read_entries({"replay": [block]}, "replay")[0]


def placeholders(augft: AugftConfig, output_dir: Path) -> list[dict[str, Any]]:
    """Make the placeholders in `cfg.datasets` for `document_entries`, in the same order.

    Each points to the Parquet file that the path is converted to.
    """
    return [
        {"path": str(converted_file(output_dir, entry.path)), "ds_type": "parquet", "type": "completion"}
        for entry in document_entries(augft)
    ]


def converted_file(output_dir: Path, path: str) -> Path:
    """Return the Parquet file with the rows of a path of `augft.documents`; loading the sources keeps it up to date."""
    return output_dir / "documents" / f"{hashlib.sha256(path.encode()).hexdigest()[:16]}.parquet"
