"""The plugin's hooks on real axolotl configs, in one process."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from axolotl.cli.config import prepare_plugins
from axolotl.integrations.base import PluginManager
from axolotl.utils.dict import DictDefault

import axolotl_augft
from axolotl_augft.config.plugin_line import joins_every_config
from axolotl_augft.errors import AugftError, ConfigError
from axolotl_augft.plugin import NEWEST_TESTED, AugFTPlugin
from tests.support.distributions import shadow_axolotl
from tests.support.launching import hook, load


@pytest.fixture(autouse=True)
def fresh_plugins():
    PluginManager.get_instance().plugins.clear()
    hook = sys.excepthook
    yield
    sys.excepthook = hook
    PluginManager.get_instance().plugins.clear()


def test_the_hook_adds_an_entry_and_axolotl_loads_it(cfg):
    from axolotl.utils.data.shared import load_dataset_with_config

    cfg["datasets"][0] |= {"split": "train[:4]", "shards": 2, "shards_idx": 0}
    loaded = hook(load(cfg))
    source, augmented = loaded.datasets
    assert source.path == cfg["datasets"][0]["path"] and source.shards == 2
    assert not {"split", "shards", "shards_idx", "data_files", "name", "revision", "preprocess_shards"} & set(augmented)
    assert (augmented.type, augmented.ds_type) == ("completion", "parquet")
    rows = load_dataset_with_config(augmented, False)
    assert {"text", "n", "augft_strategy"} <= set(rows.column_names) and len(rows) > 2


def test_repeats_are_repeated_entries(cfg):
    cfg["augft"] |= {"augment": ["local"], "repeat_original": 2, "repeat_augmented": 3}
    paths = [e.path for e in hook(load(cfg)).datasets]
    assert paths[:2] == [cfg["datasets"][0]["path"]] * 2
    assert len(paths) == 5 and len(set(paths[2:])) == 1


def test_originals_can_be_left_out(cfg):
    cfg["augft"] |= {"augment": ["local"], "include_original": False}
    assert len(hook(load(cfg)).datasets) == 1


def test_hold_out_becomes_test_datasets_also_for_commands_without_the_hook(cfg):
    cfg["val_set_size"] = 2
    before = load(cfg)
    assert before.val_set_size == 2 and not before.test_datasets
    trained = hook(before)
    assert trained.val_set_size == 0
    (held_out,) = trained.test_datasets
    assert held_out.path.endswith("0-held-out.parquet")

    evaluated = load(cfg)
    assert evaluated.val_set_size == 0
    assert [e.path for e in evaluated.test_datasets] == [held_out.path]
    assert evaluated.augft["val_set_size"] == 2
    again = hook(evaluated)
    assert [e.path for e in again.test_datasets] == [held_out.path]
    assert [e.path for e in again.datasets] == [e.path for e in trained.datasets]


@pytest.mark.parametrize(
    ("packing", "attention", "warned"),
    [(True, None, 1), (True, "sdpa", 0), (True, "eager", 0), (True, "flex_attention", 0), (False, None, 0)],
)
def test_rows_that_would_see_each_other_in_a_pack_cause_a_warning(cfg, caplog, packing, attention, warned):
    del cfg["attn_implementation"]
    cfg["augft"]["augment"] = ["local"]
    cfg |= {"sample_packing": packing, **({"attn_implementation": attention} if attention else {})}
    hook(load(cfg))
    assert caplog.text.count("sample_packing without attn_implementation lets the rows of a sequence see") == warned


def test_cumulative_rows_are_an_input_output_entry(cfg):
    cfg["augft"] |= {"augment": ["local"], "sentence_splitting": "cumulative"}
    original, augmented = hook(load(cfg)).datasets
    assert original.type == augmented.type == "input_output"


def test_cumulative_labels_train_on_the_sentence_and_its_end_only(cfg, tiny_model):
    from axolotl.utils.data.sft import _load_and_process_single_dataset
    from transformers import AutoTokenizer

    cfg["augft"] |= {"augment": ["local"], "sentence_splitting": "cumulative"}
    loaded = hook(load(cfg))
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    dataset, _ = _load_and_process_single_dataset(loaded.datasets[0], loaded, tokenizer, "train", 42)
    second = dataset[1]
    trained = [i for i, label in zip(second["input_ids"], second["labels"], strict=True) if label != -100]
    assert tokenizer.decode(trained) == " She lives in the mill house.</s>"
    assert second["input_ids"][0] == tokenizer.bos_token_id
    assert second["labels"][0] == -100


def test_nothing_is_asked_by_register(cfg, teacher, monkeypatch):
    cfg["augft"]["teacher"]["api_key_env"] = "AUGFT_UNSET_KEY"
    load(cfg)
    assert teacher.bodies == []
    with pytest.raises(ConfigError, match="AUGFT_UNSET_KEY is not set"):
        hook(load(cfg))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"augft": {"augmet": []}}, "did you mean 'augment'?"),
        ({"augft": None}, "has no augft: block"),
        ({"rl": "dpo"}, "rl is set"),
    ],
)
def test_register_finds_what_can_be_found_early(cfg, change, message):
    with pytest.raises(AugftError, match=message.replace("?", r"\?")):
        prepare_plugins(DictDefault({k: v for k, v in {**cfg, **change}.items() if v is not None}))


def test_an_uncaught_error_is_one_line(cfg, capsys):
    prepare_plugins(DictDefault(cfg))
    sys.excepthook(ConfigError, ConfigError("this and that"), None)
    assert capsys.readouterr().err == "augft: error: this and that\n"


def test_the_package_itself_imports_next_to_nothing():
    import subprocess

    code = (
        "import sys, axolotl_augft; print(any(m in sys.modules for m in ('torch', 'pydantic', 'aiohttp', 'datasets')))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
    with pytest.raises(AttributeError):
        _ = axolotl_augft.Nonsense


def test_a_config_without_the_block_costs_two_small_modules():
    code = """
import sys
import axolotl.integrations.base
from axolotl.utils.dict import DictDefault
before = set(sys.modules)
from axolotl_augft import AugFTPlugin
plugin = AugFTPlugin()
cfg = DictDefault({"base_model": "m", "datasets": [{"path": "d", "type": "alpaca"}]})
plugin.register(cfg)
assert plugin.get_input_args() is None and plugin.load_datasets(cfg) is None
assert cfg == {"base_model": "m", "datasets": [{"path": "d", "type": "alpaca"}]}
print(sorted(m for m in set(sys.modules) - before if "." in m or m.startswith("axolotl_augft")))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    own = [
        "axolotl_augft",
        "axolotl_augft.config",
        "axolotl_augft.config.plugin_line",
        "axolotl_augft.errors",
        "axolotl_augft.plugin",
    ]
    assert done.stdout.splitlines()[-1:] == [str(own)], done.stderr


def test_where_axolotl_loads_installed_plugins_the_block_is_enough(cfg):
    del cfg["plugins"]
    if not joins_every_config():
        assert load(cfg).get("augft") is None, "axolotl has dropped the block: our commands refuse such a recipe"
        return
    assert [Path(e.path).name for e in hook(load(cfg)).datasets] == ["data.jsonl", "0-augmented.parquet"]


def test_a_config_of_somebody_else_is_left_alone(cfg, teacher, caplog):
    del cfg["plugins"], cfg["augft"]
    cfg["aug"] = {"p": 0.1}
    with caplog.at_level("INFO", logger="axolotl_augft"):
        AugFTPlugin().register(cfg)
        loaded = hook(load(cfg))
    assert [e.path for e in loaded.datasets] == [cfg["datasets"][0]["path"]]
    assert (
        "augft" not in loaded and teacher.bodies == [] and not [r for r in caplog.records if r.name == "axolotl_augft"]
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"augft": None},
            "^the augft: block of the recipe is empty; write `augft: {}` for the defaults, or drop the plugin$",
        ),
        (
            {"augtf": {"augment": ["local"]}},
            "^unknown key 'augtf', which axolotl drops without a word; did you mean augft",
        ),
    ],
)
def test_a_block_that_would_be_ignored_is_an_error_without_a_plugins_line_too(cfg, change, message):
    del cfg["plugins"], cfg["augft"]
    with pytest.raises(ConfigError, match=message):
        AugFTPlugin().register(DictDefault({**cfg, **change}))


@pytest.mark.parametrize(
    ("version", "warned"), [("0.99.1", True), ("0.22.0.dev0", True), ("0.21.3", False), ("0.19.0", False)]
)
def test_an_axolotl_newer_than_tested_is_warned_about_once(cfg, tmp_path, monkeypatch, caplog, version, warned):
    monkeypatch.syspath_prepend(shadow_axolotl(tmp_path / "site", version))
    with caplog.at_level("WARNING", logger="axolotl_augft"):
        for _ in range(2):
            AugFTPlugin().register(DictDefault(cfg))
    text = f"augft: axolotl {version} is newer than 0.21, the newest that this version of axolotl-augft was tested with"
    assert [r.getMessage() for r in caplog.records] == [text] * warned


def test_the_newest_tested_is_the_newest_that_pip_installs():
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
    major, minor = map(int, NEWEST_TESTED.split("."))
    assert f"axolotl>=0.19,<{major}.{minor + 1}" in project["dependencies"]


def test_repeats_that_deduplication_deletes_are_warned_about(cfg, caplog):
    cfg |= {"dataset_exact_deduplication": True}
    cfg["augft"] |= {"augment": ["local"], "repeat_augmented": 2}
    with caplog.at_level("WARNING", logger="axolotl_augft"):
        hook(load(cfg))
    assert "dataset_exact_deduplication deletes repeated rows" in caplog.text


def test_a_changed_setting_changes_what_every_process_trains_on(cfg):
    cfg["augft"]["augment"] = ["local"]
    assert len(hook(load(cfg)).datasets) == 2
    cfg["augft"]["include_original"] = False
    assert len(hook(load(cfg)).datasets) == 1
    assert len(hook(load(cfg)).datasets) == 1


def test_other_commands_need_no_prompt_or_example_file(cfg):
    cfg["augft"]["augment"] = [{"strategy": "local", "prompt": "nowhere.jinja", "examples": "nowhere.jsonl"}]
    load(cfg)
    with pytest.raises(ConfigError, match="prompt nowhere.jinja: cannot be read"):
        hook(load(cfg))
