"""What axolotl does at a launch before it loads data: once, and once more as with Ray."""

from axolotl.cli.config import prepare_plugins
from axolotl.integrations.base import PluginManager
from axolotl.utils.config import validate_config
from axolotl.utils.dict import DictDefault


def load(cfg):
    """What axolotl does before the hook: register, validate, and, as with Ray, both once more."""
    raw = DictDefault(cfg)
    prepare_plugins(raw)
    once = validate_config(raw)
    again = DictDefault(once.to_dict())
    prepare_plugins(again)
    return validate_config(again)


def hook(cfg):
    assert PluginManager.get_instance().load_datasets(cfg, preprocess=False) is None
    return cfg
