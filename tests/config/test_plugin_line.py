import pytest

from axolotl_augft.config.plugin_line import is_listed, joins_every_config, near_misses, refuse_misspelt_block
from axolotl_augft.errors import ConfigError
from tests.support.distributions import OWN_PLUGINS, shadow_axolotl


@pytest.mark.parametrize(
    ("plugins", "listed"),
    [
        (None, False),
        ([], False),
        (["axolotl.integrations.liger.LigerPlugin"], False),
        (["axolotl_augft.AugFTPlugin"], True),
        (["axolotl.integrations.liger.LigerPlugin", "axolotl_augft:AugFTPlugin"], True),
    ],
)
def test_listed_in_either_spelling_that_axolotl_takes(plugins, listed):
    assert is_listed({"plugins": plugins}) is listed


def test_joins_every_config_where_axolotl_has_plugins_of_its_own_in_the_group(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(shadow_axolotl(tmp_path / "old", "0.19.0"))
    assert not joins_every_config()
    monkeypatch.syspath_prepend(shadow_axolotl(tmp_path / "new", "0.21.0", OWN_PLUGINS))
    assert joins_every_config()


def test_as_the_installed_axolotl_does_it():
    from axolotl.integrations import base

    assert joins_every_config() == hasattr(base, "get_builtin_plugins")


@pytest.mark.parametrize("key", ["augtf", "aug_ft", "augf", "augftt"])
@pytest.mark.parametrize("block", [{}, {"teacher": {"model": "m"}}, {"augment": ["local"], "verify": "names"}])
def test_a_misspelt_block_of_our_settings_is_refused(key, block):
    with pytest.raises(
        ConfigError, match=f"^unknown key '{key}', which axolotl drops without a word; did you mean augft\\? Rename it$"
    ):
        refuse_misspelt_block({"base_model": "m", key: block})


@pytest.mark.parametrize("value", [True, "mixup", ["flip"], {"p": 0.1}, {"teacher": "m", "p": 0.1}, None])
def test_another_plugins_key_that_is_spelt_nearly_so_is_left_alone(value):
    assert near_misses({"aug": value}) == ["aug"]
    refuse_misspelt_block({"aug": value})


def test_no_key_of_axolotls_own_is_a_near_miss():
    from axolotl.utils.schemas.config import AxolotlInputConfig

    assert len(AxolotlInputConfig.model_fields) > 300
    assert near_misses(dict.fromkeys(AxolotlInputConfig.model_fields)) == []
