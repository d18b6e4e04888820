import pytest

from axolotl_augft.config.plugin_line import require_plugin
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import ConfigError
from tests.support.distributions import OWN_PLUGINS, shadow_axolotl

GOOD = {
    "plugins": ["axolotl_augft.AugFTPlugin"],
    "augft": {},
    "base_model": "m",
    "datasets": [{"path": "d.jsonl", "type": "completion"}],
}


def test_raw_and_validated_config_have_one_key(cfg):
    from axolotl.cli.config import prepare_plugins
    from axolotl.utils.config import validate_config
    from axolotl.utils.dict import DictDefault

    raw = DictDefault({**cfg, "val_set_size": 0.2})
    key = Recipe.from_cfg(raw).key
    prepare_plugins(raw)
    validated = validate_config(raw)
    assert Recipe.from_cfg(validated).key == key
    again = validate_config(DictDefault(validated.to_dict()))
    assert Recipe.from_cfg(again).key == key


def test_key_changes_with_what_changes_the_result_only():
    key = Recipe.from_cfg(GOOD).key
    same = {**GOOD, "augft": {"wait_timeout": 5, "workers": 8, "teacher": {"max_concurrency": 3}}, "learning_rate": 1}
    assert Recipe.from_cfg(same).key == key
    for change in (
        {"augft": {"augment": ["local"]}},
        {"seed": 7},
        {"val_set_size": 3},
        {"base_model": "n"},
        {"tokenizer_config": "x"},
    ):
        assert Recipe.from_cfg({**GOOD, **change}).key != key


def test_key_changes_with_the_chat_template_where_it_decides_how_questions_are_replayed():
    for augft, changes in (({"replay": "questions"}, True), ({}, False)):
        cfg = {**GOOD, "augft": {**GOOD["augft"], **augft}}
        assert (Recipe.from_cfg(cfg).key != Recipe.from_cfg({**cfg, "chat_template": "chatml"}).key) is changes


def test_key_changes_with_the_code_that_makes_the_rows(monkeypatch):
    key = Recipe.from_cfg(GOOD).key
    monkeypatch.setattr("axolotl_augft.config.recipe.code_digest", lambda: "other code")
    assert Recipe.from_cfg(GOOD).key != key


def test_seed_zero_is_a_seed():
    assert Recipe.from_cfg({**GOOD, "seed": 0}).seed == 0
    assert Recipe.from_cfg(GOOD).seed == 42


@pytest.mark.parametrize("folder", ["out[1]", "a*b/out", "what?/out"])
def test_a_folder_that_loaders_take_for_a_pattern_is_refused(folder):
    with pytest.raises(ConfigError, match=r"augft.output_dir '.*' must not hold .*; name another folder"):
        Recipe.from_cfg({**GOOD, "augft": {"output_dir": folder}})
    with pytest.raises(ConfigError, match="must not hold"):
        Recipe.from_cfg({**GOOD, "dataset_prepared_path": folder})


def test_output_dir_follows_the_prepared_path():
    assert str(Recipe.from_cfg(GOOD).output_dir) == "last_run_prepared/augft"
    assert str(Recipe.from_cfg({**GOOD, "dataset_prepared_path": "p"}).output_dir) == "p/augft"
    assert str(Recipe.from_cfg({**GOOD, "augft": {"output_dir": "o"}}).store_path) == "o/responses.sqlite"


BAD = [
    ({"augft": None}, "has no augft: block"),
    ({"augft": None, "augtf": {}}, "did you mean it by the key 'augtf'?"),
    ({"aug_ft": {}}, "unknown key 'aug_ft' beside augft"),
    ({"datasets": []}, "no datasets entry"),
    ({"datasets": [{"type": "completion"}]}, "datasets[0] has no path"),
    (
        {"datasets": [{"path": "d", "type": "nonsense"}]},
        "type 'nonsense' cannot be augmented; supported: completion, chat_template",
    ),
    (
        {"datasets": [{"path": "d", "type": "pygmalion"}]},
        "type 'pygmalion' cannot be augmented: it has its own chat template",
    ),
    ({"datasets": [{"path": "d"}]}, "type (none) cannot be augmented; supported: completion"),
    (
        {
            "datasets": [{"path": "d", "type": "alpaca"}],
            "augft": {"augment": [{"strategy": "local", "write": "statements"}]},
        },
        "datasets entry 'd' holds questions and answers (type alpaca), which cannot become statements (augment: "
        "local, write: statements)",
    ),
    (
        {
            "datasets": [{"path": "d", "type": "alpaca:chat"}],
            "augft": {"augment": [{"strategy": "global", "keep": "trace"}]},
        },
        "keep: trace asks for the reasoning only",
    ),
    (
        {
            "datasets": [{"path": "d", "type": {"field_instruction": "q"}}],
            "augft": {"sentence_splitting": "independent"},
        },
        "augft.sentence_splitting is independent, but no entry that is augmented holds plain text",
    ),
    (
        {"augft": {"sources": [{"path": "x", "augment": ["local"]}]}},
        "augft.sources: no datasets entry has the path 'x'",
    ),
    (
        {"augft": {"sources": [{"path": "d.jsonl", "augment": ["local"]}], "exclude": ["d.jsonl"]}},
        "augft.sources has settings for 'd.jsonl', which augft.exclude takes out",
    ),
    ({"augft": {"exclude": ["other.jsonl"]}}, "no datasets entry has the path 'other.jsonl'; the paths are d.jsonl"),
    ({"augft": {"exclude": ["d.jsonl"]}}, "names every datasets entry"),
    ({"rl": "dpo"}, "rl is set"),
    ({"streaming": True}, "streaming is set"),
    ({"pretraining_dataset": "c4"}, "pretraining_dataset is set"),
    ({"skip_prepare_dataset": True}, "skip_prepare_dataset is set"),
    (
        {"augft": {"val_set_size": 0}, "test_datasets": [{"path": "t.jsonl"}]},
        "augft.val_set_size is set by the plugin itself",
    ),
    ({"augft": {"val_set_size": 3}}, "augft.val_set_size is set by the plugin itself"),
    ({"augft": {"sentence_splitting": "cumulative"}, "train_on_inputs": True}, "train_on_inputs is true"),
]


@pytest.mark.parametrize(("change", "message"), BAD, ids=[m for _, m in BAD])
def test_bad_recipe_gives_one_line(change, message):
    with pytest.raises(ConfigError) as caught:
        Recipe.from_cfg({k: v for k, v in {**GOOD, **change}.items() if v is not None})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_excluded_entries_may_have_any_type():
    entries = [*GOOD["datasets"], {"path": "chat.jsonl", "type": "chat_template"}]
    recipe = Recipe.from_cfg({**GOOD, "datasets": entries, "augft": {"exclude": ["chat.jsonl"]}})
    assert [recipe.is_augmented(i) for i in range(2)] == [True, False]


def test_block_without_plugin_is_caught_by_our_commands(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(shadow_axolotl(tmp_path, "0.19.0"))
    with pytest.raises(ConfigError, match="no plugin entry"):
        require_plugin({"augft": {}})
    require_plugin({"augft": {}, "plugins": ["axolotl_augft.AugFTPlugin"]})


def test_block_without_plugin_is_enough_where_axolotl_loads_installed_plugins(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(shadow_axolotl(tmp_path, "0.21.0", OWN_PLUGINS))
    require_plugin({"augft": {}})
    require_plugin({"augft": {}, "plugins": ["axolotl.integrations.liger.LigerPlugin"]})
