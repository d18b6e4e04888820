"""`augft.documents` -> entries beside those of `datasets`.

Each path becomes an entry of the recipe, named by the path as the user wrote it. Axolotl's own validation wants `datasets`, so the plugin
puts a placeholder for it into the config: the Parquet file that the stage writes, which axolotl loads like any other.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from axolotl_augft.config.augft import AugftConfig

_DS_TYPE = "augft_documents"


def document_entries(augft: AugftConfig) -> tuple[dict[str, Any], ...]:
    """The entries of the recipe for the files and folders under `augft.documents`."""
    paths = augft.documents.paths if augft.documents else []
    return tuple({"path": path, "ds_type": _DS_TYPE, "type": "completion"} for path in paths)


def is_documents(entry: Mapping[str, Any]) -> bool:
    """Whether an entry of the recipe comes from `augft.documents`."""
    return entry.get("ds_type") == _DS_TYPE


def placeholders(augft: AugftConfig, output_dir: Path) -> list[dict[str, Any]]:
    """What stands for those entries in `cfg.datasets`, in the same order."""
    return [{**entry, "path": str(converted_file(output_dir, entry["path"])), "ds_type": "parquet"} for entry in document_entries(augft)]


def converted_file(output_dir: Path, path: str) -> Path:
    """The Parquet file of the rows of a path; the stage keeps it up to date."""
    return output_dir / "documents" / f"{hashlib.sha256(path.encode()).hexdigest()[:16]}.parquet"
