"""An axolotl config -> whether it is meant for this plugin, by its `plugins:` line or a misspelt `augft:` block.

axolotl 0.21 and later load an installed plugin for every config, including those of people who do not use it. So this
module imports next to nothing, and refuses only what is clearly meant for this plugin.
"""

import difflib
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from axolotl_augft.errors import ConfigError

PLUGIN = "axolotl_augft.AugFTPlugin"
ENTRY_POINT_GROUP = "axolotl.plugins"


def is_listed(cfg: Mapping[str, Any]) -> bool:
    """Tell whether the `plugins:` list names this plugin."""
    return any(_dotted(str(name)) == PLUGIN for name in cfg.get("plugins") or [])


def joins_every_config() -> bool:
    """Tell whether axolotl loads this plugin without a `plugins:` line.

    An axolotl that does so registers plugins of its own in the entry point group; this plugin must be registered too.
    """
    targets = [_dotted(point.value) for point in entry_points(group=ENTRY_POINT_GROUP)]
    return PLUGIN in targets and any(target.startswith("axolotl.") for target in targets)


def _dotted(target: str) -> str:
    return target.replace(":", ".")


def near_misses(cfg: Mapping[str, Any]) -> list[str]:
    """Return the top-level key most similar to `augft`, as a list of at most one."""
    return difflib.get_close_matches("augft", [str(key) for key in cfg if key != "augft"], n=1, cutoff=0.72)


def refuse_misspelt_block(cfg: Mapping[str, Any]) -> None:
    """Check a config that neither has an `augft:` block nor lists the plugin.

    Raises:
        ConfigError: A key that resembles `augft` holds a block of its settings, which axolotl would silently drop.
    """
    for key in near_misses(cfg):
        if isinstance(cfg[key], Mapping) and _settings_of_ours(cfg[key]):
            raise ConfigError(f"unknown key {key!r}, which axolotl drops without a word; did you mean augft? Rename it")


def _settings_of_ours(block: Mapping[str, Any]) -> bool:
    from axolotl_augft.config.augft import AugftConfig

    return set(map(str, block)) <= set(AugftConfig.model_fields)
