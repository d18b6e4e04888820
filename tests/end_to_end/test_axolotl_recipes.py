"""axolotl's own recipes, with the two blocks added: they pass validation, the stage and axolotl's tokenizing."""

import re
from pathlib import Path

import pytest
from axolotl.integrations.base import PluginManager
from axolotl.utils.config import normalize_cfg_datasets
from axolotl.utils.data.sft import _load_and_process_single_dataset
from axolotl.utils.dict import DictDefault
from datasets import Dataset
from transformers import AutoTokenizer

from axolotl_augft.config.recipe import Recipe
from tests.support.axolotl_recipes import RECIPES, AxolotlRecipe
from tests.support.axolotl_rows import Shape
from tests.support.axolotl_schema import registered, validated
from tests.support.data import write_rows
from tests.support.tiny_model import make_tiny_model

MARKS = [
    "<|end_of_text|>",
    "<|eot_id|>",
    "<|finetune_right_pad_id|>",
    "<end_of_turn>",
    "<|im_end|>",
    "<|im_start|>",
    "<|end|>",
    "<|endoftext|>",
]
LOADING = {"path", "ds_type", "split"}


@pytest.fixture(scope="module")
def student(tmp_path_factory) -> Path:
    """The tiny model with a chat template, and a tokenizer that knows the marks of all families."""
    folder = make_tiny_model(tmp_path_factory.mktemp("student"), chat_template=True)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_special_tokens({"additional_special_tokens": MARKS})
    tokenizer.save_pretrained(folder)
    return folder


def with_two_blocks(case: AxolotlRecipe, tmp_path: Path, teacher) -> dict:
    """The recipe on local files of the right shape, with what the README tells a user to add."""
    paths = [tmp_path / f"{0 if case.one_file else i}.jsonl" for i in range(len(case.entries))]
    files = [str(write_rows(path, entry.shape.rows)) for path, entry in zip(paths, case.entries, strict=True)]
    return {
        **case.keys,
        "datasets": [
            {"path": file, "ds_type": "json", **entry.keys} for file, entry in zip(files, case.entries, strict=True)
        ],
        "dataset_prepared_path": str(tmp_path / "prepared"),
        "output_dir": str(tmp_path / "out"),
        "plugins": [*case.keys.get("plugins", []), "axolotl_augft.AugFTPlugin"],
        "augft": {"teacher": {"model": "scripted", "base_url": teacher.base_url, "api": "chat"}},
    }


def staged(cfg: dict, case: AxolotlRecipe, student: Path) -> DictDefault:
    """Return the recipe as it is before axolotl loads data: validated for its GPUs, with the tiny student as model."""
    result = validated(cfg, **case.gpus)
    assert Recipe.from_cfg(result).key == Recipe.from_cfg(cfg).key
    result |= {"base_model": str(student), "dataset_num_proc": 0}
    normalize_cfg_datasets(result)
    with registered(cfg):
        assert PluginManager.get_instance().load_datasets(result, preprocess=False) is None
    return result


def kind_of(entry: dict) -> str:
    """What an entry's file holds: original, augmented or held-out rows of ours, or the source's own rows (kept)."""
    return (
        re.sub(r"^\d+-([\w-]+)\.parquet$", r"\1", Path(entry["path"]).name) if entry["ds_type"] == "parquet" else "kept"
    )


def own_columns(row: dict) -> dict:
    return {k: v for k, v in row.items() if not k.startswith("augft_")}


def like(row: dict, rows: list[dict]) -> list[dict]:
    """Literal rows with the columns and keys that a file of such rows has: nulls where a message lacks a key."""
    return [own_columns(r) for r in Dataset.from_list([row, *rows])][1:]


def tokenizer_of(cfg: DictDefault):
    tokenizer = AutoTokenizer.from_pretrained(cfg.base_model)
    tokenizer.add_special_tokens(dict(cfg.special_tokens or {}))
    return tokenizer


def trained_texts(entry: DictDefault, cfg: DictDefault) -> list[str]:
    """What axolotl trains on in the rows of an entry."""
    tokenizer = tokenizer_of(cfg)
    rows, _ = _load_and_process_single_dataset(entry, cfg, tokenizer, "train", 42)
    return [tokenizer.decode([t for t in row["labels"] if t != -100], skip_special_tokens=True).strip() for row in rows]


def check_rows(entry: DictDefault, shape: Shape, held_out: set[int]) -> list[int]:
    """Both strategies wrote about every row but those held out; about the first what stands there.

    Says where its local rows are.
    """
    rows = Dataset.from_parquet(entry.path)
    asked = set(range(len(shape.rows))) - held_out - set(shape.not_asked)
    assert {(r["augft_row"], r["augft_strategy"]) for r in rows} == {(i, s) for i in asked for s in ("local", "global")}
    of_first = [i for i, r in enumerate(rows) if (r["augft_row"], r["augft_strategy"]) == (0, "local")]
    assert [own_columns(rows[i]) for i in of_first] == like(shape.rows[0], shape.augmented)
    return of_first


@pytest.mark.parametrize("case", RECIPES, ids=[r.example for r in RECIPES])
def test_axolotls_own_recipe_with_the_two_blocks(case, tmp_path, teacher, student):
    cfg = with_two_blocks(case, tmp_path, teacher)
    result = staged(cfg, case, student)

    original = "original" if case.keys.get("val_set_size") else "kept"
    expected = [kind for _ in case.entries for kind in (original, "augmented")]
    assert [kind_of(e) for e in result.datasets] == (expected[:-1] if case.one_file else expected), (
        "an equal file brings duplicates only"
    )
    assert not result.val_set_size and [kind_of(e) for e in result.test_datasets or []] == (
        ["held-out"] if original == "original" else []
    )
    held_out = {row for e in result.test_datasets or [] for row in Dataset.from_parquet(e.path)["augft_row"]}
    assert 0 not in held_out, "reorder the shape's rows: the first one's augmentations are compared"

    for old, new, entry in zip(result.datasets[::2], result.datasets[1::2], case.entries, strict=False):
        assert {k: v for k, v in new.items() if k not in LOADING} == {k: v for k, v in old.items() if k not in LOADING}
        local = check_rows(new, entry.shape, held_out)
        texts, given = trained_texts(new, result), trained_texts(old, result)
        assert [said in texts[i] for i, said in zip(local, entry.shape.trained, strict=True)] == [True, True], texts
        assert not any("In other words:" in text or "Seen from its end:" in text for text in texts), (
            "questions are masked"
        )
        if entry.keys["type"] != "completion":
            assert given[0].endswith(texts[local[0]]), "the same answer is trained on as in the source row"
