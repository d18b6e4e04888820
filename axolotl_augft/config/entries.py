"""Entries of `datasets` as a recipe has them -> what the stage reads of them, checked as far as that needs no data."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from axolotl_augft.config.augft import AugftConfig
from axolotl_augft.config.augment import Augment
from axolotl_augft.errors import ConfigError
from axolotl_augft.formats import SUPPORTED_TYPES, USER_DEFINED, base_type, format_of, is_supported, why_unsupported

_DS_TYPE = "augft_documents"
_ENTRY_KEYS = (
    *("path", "name", "split", "data_files", "ds_type", "revision", "shards", "shards_idx", "preprocess_shards"),
    *("type", "field", "trust_remote_code"),
)
_CHAT_KEYS = (
    *("field_messages", "message_property_mappings", "roles", "field_thinking", "template_thinking_key"),
    *("message_field_training", "message_field_training_detail"),
)


def read_entries(cfg: Mapping[str, Any], key: str) -> tuple[dict[str, Any], ...]:
    """The entries under `key`, raw or validated, without nulls and without what is for the trainer alone.

    Raises:
        ConfigError: One has no path, or a weight that is no share.
    """
    entries = []
    for i, entry in enumerate(cfg.get(key) or []):
        if not isinstance(entry, Mapping) or not entry.get("path"):
            raise ConfigError(f"{key}[{i}] has no path; give the file, folder or hub name of the data set")
        own = {k: _plain(entry[k]) for k in _ENTRY_KEYS if entry.get(k)}
        if key == "datasets" and (weight := _weight(entry, f"{key}[{i}].weight")) < 1:
            own["weight"] = weight
        entries.append(own | (_chat_keys(entry) if base_type(entry.get("type")) == "chat_template" else {}))
    return tuple(entries)


def _weight(entry: Mapping[str, Any], where: str) -> float:
    """The share of an entry's rows that axolotl uses; 1 where it knows no such key (before 0.20) and drops it."""
    given = entry.get("weight")
    if given is None or not _axolotl_knows_weight():
        return 1
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


def _chat_keys(entry: Mapping[str, Any]) -> dict[str, Any]:
    """How the messages are laid out, the same for the raw entry and for the one that axolotl has filled with defaults."""
    keys = {k: _plain(entry[k]) for k in _CHAT_KEYS if entry.get(k)}
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


def check_type(entry: Mapping[str, Any]) -> None:
    """Raises ConfigError where an entry's type cannot be augmented."""
    entry_type = entry.get("type")
    if is_supported(entry_type):
        return
    name = "(none)" if entry_type is None else repr(entry_type)
    reason = why_unsupported(entry_type)
    raise ConfigError(
        f"datasets entry {entry.get('path')!r}: type {name} cannot be augmented{': ' + reason if reason else ''}; "
        f"supported: {listed([*SUPPORTED_TYPES, USER_DEFINED])}. Name the path under augft.exclude to train on it as "
        f"it is"
    )


def check_assignment(entry: Mapping[str, Any], augment: Augment) -> None:
    """Raises ConfigError where rows of questions and answers are to become what they cannot be."""
    if format_of(entry).writes == "statements":
        return
    if conflict := augment.conflict_with_questions():
        raise ConfigError(
            f"datasets entry {entry.get('path')!r} holds questions and answers (type {base_type(entry.get('type'))}), "
            f"which {conflict}; "
            "give it an augment list of its own under augft.sources"
        )


def listed(values: Iterable[Any]) -> str:
    """Values with commas between them."""
    return ", ".join(str(v) for v in values)


def document_entries(augft: AugftConfig) -> tuple[dict[str, Any], ...]:
    """The entries of the recipe for the files and folders under `augft.documents`."""
    paths = augft.documents.paths if augft.documents else []
    return tuple({"path": path, "ds_type": _DS_TYPE, "type": "completion"} for path in paths)


def is_documents(entry: Mapping[str, Any]) -> bool:
    """Whether an entry of the recipe comes from `augft.documents`."""
    return entry.get("ds_type") == _DS_TYPE


def placeholders(augft: AugftConfig, output_dir: Path) -> list[dict[str, Any]]:
    """What stands for those entries in `cfg.datasets`, in the same order."""
    return [
        {**entry, "path": str(converted_file(output_dir, entry["path"])), "ds_type": "parquet"}
        for entry in document_entries(augft)
    ]


def converted_file(output_dir: Path, path: str) -> Path:
    """The Parquet file of the rows of a path; the stage keeps it up to date."""
    return output_dir / "documents" / f"{hashlib.sha256(path.encode()).hexdigest()[:16]}.parquet"
