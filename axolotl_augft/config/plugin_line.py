"""Is a config for this plugin? By its `plugins:` line, its `augft:` block, or a block that is meant to be one.

From axolotl 0.21 on an installed plugin joins every config, those of people who do not use it too. So this module imports next to
nothing, and what it refuses must be meant for us.
"""

import difflib
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from axolotl_augft.errors import ConfigError

PLUGIN = "axolotl_augft.AugFTPlugin"
ENTRY_POINT_GROUP = "axolotl.plugins"


def is_listed(cfg: Mapping[str, Any]) -> bool:
    """Whether `plugins:` names the plugin."""
    return any(_dotted(str(name)) == PLUGIN for name in cfg.get("plugins") or [])


def joins_every_config() -> bool:
    """Whether axolotl loads the plugin without a `plugins:` line: it has plugins of its own in the entry point group, and so have we."""
    targets = [_dotted(point.value) for point in entry_points(group=ENTRY_POINT_GROUP)]
    return PLUGIN in targets and any(target.startswith("axolotl.") for target in targets)


def _dotted(target: str) -> str:
    return target.replace(":", ".")


def near_misses(cfg: Mapping[str, Any]) -> list[str]:
    """The top-level key that is most like `augft`, if there is one."""
    return difflib.get_close_matches("augft", [str(key) for key in cfg if key != "augft"], n=1, cutoff=0.72)


def refuse_misspelt_block(cfg: Mapping[str, Any]) -> None:
    """Checks a config that has neither the block nor the plugin in its `plugins:` line.

    Raises:
        ConfigError: A key is nearly `augft` and holds a block of its settings, which axolotl would drop without a word.
    """
    for key in near_misses(cfg):
        if isinstance(cfg[key], Mapping) and _settings_of_ours(cfg[key]):
            raise ConfigError(f"unknown key {key!r}, which axolotl drops without a word; did you mean augft? Rename it")


def _settings_of_ours(block: Mapping[str, Any]) -> bool:
    from axolotl_augft.config.augft import AugftConfig

    return set(map(str, block)) <= set(AugftConfig.model_fields)
