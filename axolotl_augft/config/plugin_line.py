"""An axolotl config -> its `augft:` block, and whether it is meant for this plugin by that or its `plugins:` line.

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


def require_plugin(cfg: Mapping[str, Any]) -> None:
    """Check that axolotl will load the plugin for a recipe with an `augft:` block.

    Raises:
        ConfigError: The recipe does not list the plugin, and axolotl does not load it by itself.
    """
    if not is_listed(cfg) and not joins_every_config():
        raise ConfigError(
            f"the recipe has no plugin entry, so axolotl would train without augmentation; add `plugins: [{PLUGIN}]`"
        )


def augft_block(cfg: Mapping[str, Any]) -> Any:
    """Return the `augft:` block of a config that is meant for this plugin.

    Raises:
        ConfigError: There is none, it is empty, or a key beside it resembles `augft`.
    """
    near = near_misses(cfg)
    if cfg.get("augft") is None:
        listed_but = f"the plugin {PLUGIN} is listed, but " if is_listed(cfg) else ""
        found = "the augft: block of the recipe is empty" if "augft" in cfg else "the recipe has no augft: block"
        hint = "write `augft: {}` for the defaults, or drop the plugin"
        raise ConfigError(f"{listed_but}{found}; {f'did you mean it by the key {near[0]!r}?' if near else hint}")
    if near:
        raise ConfigError(
            f"unknown key {near[0]!r} beside augft; axolotl drops it without a word. Move its contents into augft"
        )
    return cfg["augft"]


def _settings_of_ours(block: Mapping[str, Any]) -> bool:
    from axolotl_augft.config.augft import AugftConfig

    return set(map(str, block)) <= set(AugftConfig.model_fields)
