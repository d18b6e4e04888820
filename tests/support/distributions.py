"""What `importlib.metadata` says is installed, for tests of other versions of axolotl than the one that is here."""

from pathlib import Path

OWN_PLUGINS = "[axolotl.plugins]\ncontext-parallel = axolotl.integrations.context_parallel:ContextParallelPlugin\n"


def shadow_axolotl(folder: Path, version: str, entry_points: str = "") -> Path:
    """A folder whose metadata of axolotl hide the real ones, once it stands first on the path."""
    metadata = folder / f"axolotl-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: axolotl\nVersion: {version}\n")
    (metadata / "entry_points.txt").write_text(entry_points)
    return folder
