"""Every example recipe parses, validates under declared GPU capabilities, and names files that are there."""

from pathlib import Path

import pytest
import yaml
from axolotl.cli.config import prepare_plugins
from axolotl.integrations.base import PluginManager
from axolotl.utils.config import validate_config
from axolotl.utils.dict import DictDefault

from axolotl_augft.recipe import Recipe, require_plugin

FOLDER = Path(__file__).parent.parent / "example_configs"
GPU = {"bf16": True, "fp8": False, "tf32": True, "n_gpu": 1, "compute_capability": "sm_90"}


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.yml")), ids=lambda f: f.stem)
def test_example_config(file, monkeypatch):
    monkeypatch.chdir(FOLDER.parent)
    PluginManager.get_instance().plugins.clear()
    cfg = DictDefault(yaml.safe_load(file.read_text()))
    require_plugin(cfg)
    key = Recipe.from_cfg(cfg).key
    prepare_plugins(cfg)
    validated = validate_config(cfg, capabilities=GPU, env_capabilities={"torch_version": "2.11.0"})
    assert Recipe.from_cfg(validated).key == key
    for entry in validated.datasets:
        assert Path(entry["path"]).exists()
    PluginManager.get_instance().plugins.clear()
