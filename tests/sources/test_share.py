import dataclasses
from pathlib import Path

import pytest
from axolotl.utils.schemas.datasets import SFTDataset

from axolotl_augft.cli.plan import plan_lines
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import ConfigError
from axolotl_augft.output.summary import summary_lines
from axolotl_augft.sources.documents import read_documents
from axolotl_augft.sources.loading import load_sources
from axolotl_augft.stage import run_stage
from axolotl_augft.store.run_record import RunRecord
from tests.support.data import TEXTS, write_rows
from tests.support.launching import hook, load

AXOLOTL_KNOWS_WEIGHT = "weight" in SFTDataset.model_fields
# These tests go through axolotl's own schema or loader. `make test` runs them (0.21), `make test-oldest` (0.19) cannot.
needs_weight = pytest.mark.skipif(not AXOLOTL_KNOWS_WEIGHT, reason="datasets[].weight is new in axolotl 0.20")


def recipe_for(*paths, weight=None, **keys):
    """A recipe whose first entry has a weight, whatever axolotl is installed."""
    datasets = [{"path": str(path), "ds_type": "json", "type": "completion"} for path in paths]
    recipe = Recipe.from_cfg({"augft": {}, "base_model": "m", "datasets": datasets, **keys})
    first, *others = recipe.datasets
    return dataclasses.replace(recipe, datasets=(dataclasses.replace(first, weight=weight or 1.0), *others))


def facts(path, count):
    return write_rows(path, [{"text": f"Fact number {i}."} for i in range(count)])


def texts(source, rows):
    return {source.rows[i]["text"] for i in rows}


@pytest.mark.parametrize(
    ("rows", "weight", "used"), [(40, 0.5, 20), (10, 0.55, 5), (3, 0.1, 1), (10, 0.99, 9), (10, None, 10), (1, 0.2, 1)]
)
def test_as_many_rows_as_axolotl_would_take(tmp_path, rows, weight, used):
    (source,) = load_sources(recipe_for(facts(tmp_path / "a.jsonl", rows), weight=weight))
    assert (len(source.training_rows), len(source.beyond_share)) == (used, rows - used)
    assert len(list(read_documents([source]))) == used


def test_the_choice_is_by_content_and_a_larger_weight_keeps_it(tmp_path):
    path = facts(tmp_path / "a.jsonl", 40)
    (half,) = load_sources(recipe_for(path, weight=0.5))
    back = write_rows(tmp_path / "b.jsonl", [{"text": f"Fact number {i}."} for i in range(39, -1, -1)])
    (reversed_half,) = load_sources(recipe_for(back, weight=0.5))
    assert texts(half, half.training_rows) == texts(reversed_half, reversed_half.training_rows)
    (quarter,) = load_sources(recipe_for(path, weight=0.25))
    assert texts(quarter, quarter.training_rows) < texts(half, half.training_rows)
    (other_seed,) = load_sources(recipe_for(path, weight=0.5, seed=7))
    assert texts(other_seed, other_seed.training_rows) != texts(half, half.training_rows)


def test_rows_are_held_out_of_the_share(tmp_path):
    """As axolotl does it: the fraction is of what is left to train on."""
    path, other = (
        facts(tmp_path / "a.jsonl", 40),
        write_rows(tmp_path / "b.jsonl", [{"text": f"Other {i}."} for i in range(20)]),
    )
    (source,) = load_sources(recipe_for(path, weight=0.5, val_set_size=0.2))
    (unweighted,) = load_sources(recipe_for(path, val_set_size=4))
    assert len(source.held_out) == 4 and len(source.training_rows) == 16
    assert source.held_out == unweighted.held_out, "the same rows are held out, with a weight or without"
    assert not set(source.beyond_share) & {*source.held_out, *source.training_rows}
    sources = load_sources(recipe_for(path, other, weight=0.5, val_set_size=0.25))
    assert sum(len(s.held_out) for s in sources) == 10 and len(sources[1].beyond_share) == 0


def test_rows_beyond_the_share_are_neither_twins_nor_problems(tmp_path):
    rows = [{"text": f"Fact {i}."} for i in range(10)] + [{"text": " "}] * 10
    path, test = (
        write_rows(tmp_path / "a.jsonl", rows),
        write_rows(tmp_path / "t.jsonl", [{"text": f"Fact {i}."} for i in range(10)]),
    )
    tests = [{"path": str(test), "ds_type": "json", "type": "completion"}]
    (source,) = load_sources(recipe_for(path, weight=0.25, test_datasets=tests))
    used = set(range(20)) - set(source.beyond_share)
    assert len(used) == 5 and {*source.twins, *source.broken} == used
    assert [p.reason for p in source.problems] == (["no text"] if source.broken else [])


@needs_weight
@pytest.mark.parametrize(("given", "kept"), [(0.5, 0.5), ("5e-1", 0.5), (1, 1.0), (1.0, 1.0), (None, 1.0)])
def test_weight_of_a_recipe(cfg, given, kept):
    cfg["datasets"][0]["weight"] = given
    recipe = Recipe.from_cfg(cfg)
    assert recipe.datasets[0].weight == kept
    assert Recipe.from_cfg(load(cfg)).key == recipe.key
    del cfg["datasets"][0]["weight"]
    assert (Recipe.from_cfg(cfg).key == recipe.key) == (kept == 1)


@needs_weight
@pytest.mark.parametrize("weight", [0, -0.5, 1.5, 2, float("nan"), "half", [0.5]])
def test_a_weight_that_is_no_share_is_one_line(cfg, weight):
    cfg["datasets"][0]["weight"] = weight
    with pytest.raises(ConfigError) as caught:
        load(cfg)
    assert (
        str(caught.value)
        == f"datasets[0].weight must be above 0 and at most 1, the share of its rows to use, got {weight!r}"
    )


# The other way round: `make test-oldest` runs it. An axolotl without the key drops it, and so must the recipe's key.
@pytest.mark.skipif(AXOLOTL_KNOWS_WEIGHT, reason="datasets[].weight is unknown before axolotl 0.20 only")
@pytest.mark.parametrize("weight", [0.5, 7])
def test_weight_is_nothing_where_axolotl_drops_it(cfg, weight):
    before = Recipe.from_cfg(cfg).key
    cfg["datasets"][0]["weight"] = weight
    assert Recipe.from_cfg(cfg).key == before == Recipe.from_cfg(load(cfg)).key


@needs_weight
@pytest.mark.parametrize("excluded", [False, True])
def test_only_the_share_is_asked_about_and_axolotl_drops_nothing_of_it(cfg, teacher, tmp_path, tiny_model, excluded):
    from axolotl.utils.data.sft import _load_and_process_single_dataset
    from datasets import Dataset
    from transformers import AutoTokenizer

    cfg["augft"]["augment"] = ["local"]
    cfg["datasets"][0]["weight"] = 0.5
    cfg["val_set_size"] = 1
    if excluded:
        cfg["augft"]["exclude"] = [cfg["datasets"][0]["path"]]
        other = write_rows(tmp_path / "b.jsonl", [{"text": "A pond is a small lake."}])
        cfg["datasets"].append({"path": str(other), "ds_type": "json", "type": "completion"})
    loaded = hook(load(cfg))
    assert len(teacher.bodies) == (1 if excluded else 2)
    entries = [*loaded.datasets, *loaded.test_datasets]
    assert [e for e in entries if "weight" in e] == []
    rows = {}
    for entry in entries:
        dataset, _ = _load_and_process_single_dataset(
            entry, loaded, AutoTokenizer.from_pretrained(tiny_model), "train", 42
        )
        rows[Path(entry.path).name] = len(dataset)
        assert entry.ds_type == "json" or len(dataset) == len(Dataset.from_parquet(entry.path))
    own = {"0-original.parquet": 2, "0-held-out.parquet": 1}
    assert rows == own | ({"b.jsonl": 1, "1-augmented.parquet": 2} if excluded else {"0-augmented.parquet": 4})


@needs_weight
def test_plan_and_summary_say_how_many_rows_the_weight_leaves_out(cfg):
    cfg["augft"]["augment"] = ["local"]
    cfg["datasets"][0]["weight"] = 0.5
    recipe = Recipe.from_cfg(cfg)
    assert len(TEXTS) == 6 and plan_lines(recipe)[1] == "documents 3; rows left out by weight 3"
    result = run_stage(recipe)
    assert result.entries[0].original == "rewritten" and result.entries[0].beyond_share == 3
    assert summary_lines(result, recipe, RunRecord())[0] == "documents 3; rows left out by weight 3"
    (before,) = [line.split() for line in plan_lines(recipe) if line.startswith("  before")]
    assert before[1:3] == ["3", "rows"]
