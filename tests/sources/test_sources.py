import dataclasses

import pytest

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import SourceError
from axolotl_augft.sources.documents import read_documents
from axolotl_augft.sources.loading import load_sources
from tests.support.data import write_rows


def recipe_for(paths, val_set_size=0, test_paths=(), **entry):
    def entries(some):
        return [{"path": str(p), "ds_type": "json", "type": "completion", **entry} for p in some]

    cfg = {
        "augft": {},
        "base_model": "m",
        "datasets": entries(paths),
        "val_set_size": val_set_size,
        "test_datasets": entries(test_paths),
    }
    return Recipe.from_cfg(cfg)


def texts(source, rows):
    return [source.rows[i]["text"] for i in rows]


def test_hold_out_is_by_content_not_by_place(tmp_path):
    rows = [{"text": f"Fact number {i}."} for i in range(40)]
    (a,) = load_sources(recipe_for([write_rows(tmp_path / "a.jsonl", rows)], val_set_size=0.2))
    (b,) = load_sources(recipe_for([write_rows(tmp_path / "b.jsonl", rows[::-1])], val_set_size=0.2))
    assert len(a.held_out) == 8
    assert set(texts(a, a.held_out)) == set(texts(b, b.held_out))
    (c,) = load_sources(recipe_for([write_rows(tmp_path / "c.jsonl", [*rows, {"text": "One more."}])], val_set_size=8))
    assert len(set(texts(a, a.held_out)) - set(texts(c, c.held_out))) <= 1


def test_hold_out_is_taken_from_all_entries(tmp_path):
    one = write_rows(tmp_path / "a.jsonl", [{"text": f"A {i}."} for i in range(30)])
    two = write_rows(tmp_path / "b.jsonl", [{"text": f"B {i}."} for i in range(30)])
    sources = load_sources(recipe_for([one, two], val_set_size=0.5))
    assert sum(len(s.held_out) for s in sources) == 30
    assert all(s.held_out for s in sources)


def test_twins_of_held_out_and_test_rows_are_neither_trained_on_nor_shown(tmp_path):
    rows = [{"text": f"Fact {i}."} for i in range(10)] + [{"text": f" fact   {i}. "} for i in range(10)]
    test = write_rows(tmp_path / "t.jsonl", [{"text": "FACT 3."}])
    (source,) = load_sources(recipe_for([write_rows(tmp_path / "a.jsonl", rows)], test_paths=[test]))
    assert source.twins == (3, 13) and source.held_out == ()
    (source,) = load_sources(recipe_for([tmp_path / "a.jsonl"], val_set_size=4))
    held_out = {t.strip().lower().replace("   ", " ") for t in texts(source, source.held_out)}
    assert len(source.held_out) == len(source.twins) == 4
    shown = {" ".join(d.text.lower().split()) for d in read_documents([source])}
    assert not shown & held_out and len(shown) == 6


def test_an_excluded_entry_is_compared_by_its_text_too(tmp_path):
    own = write_rows(tmp_path / "a.jsonl", [{"text": f"Fact {i}.", "n": i} for i in range(10)])
    other = write_rows(tmp_path / "b.jsonl", [{"text": f"fact {i}.", "m": i} for i in range(10)])
    recipe = recipe_for([own, other], val_set_size=5)
    recipe = dataclasses.replace(recipe, augft=recipe.augft.model_copy(update={"exclude": [str(other)]}))
    sources = load_sources(recipe)
    assert [s.format is None for s in sources] == [False, True]
    held_out = {t.lower() for s in sources for t in texts(s, s.held_out)}
    assert len(held_out) == 5
    assert not held_out & {t.lower() for s in sources for t in texts(s, s.training_rows)}


def test_documents_are_different_texts_in_source_order(tmp_path):
    rows = [{"text": "B."}, {"text": " A. "}, {"text": "B."}, {"text": ""}]
    (source,) = sources = load_sources(recipe_for([write_rows(tmp_path / "a.jsonl", rows)]))
    documents = list(read_documents(sources))
    assert [(d.text, d.row) for d in documents] == [("B.", 0), ("A.", 1)]
    assert documents[0].id == "be651d5a"
    assert source.broken == {3} and list(source.training_rows) == [0, 1, 2]


def test_split_and_shards_as_axolotl_takes_them(tmp_path):
    path = write_rows(tmp_path / "a.jsonl", [{"text": f"Fact {i}."} for i in range(10)])
    (source,) = load_sources(recipe_for([path], split="train[:3]"))
    assert texts(source, source.training_rows) == ["Fact 0.", "Fact 1.", "Fact 2."]
    (source,) = load_sources(recipe_for([path], shards=5, shards_idx=1))
    assert len(source.rows) == 2
    (source,) = load_sources(recipe_for([path], preprocess_shards=5))
    assert sorted(texts(source, source.training_rows)) == [f"Fact {i}." for i in range(10)]


def test_columns_of_an_earlier_run_are_dropped(tmp_path):
    (source,) = load_sources(
        recipe_for([write_rows(tmp_path / "a.jsonl", [{"text": "A.", "augft_kind": "x", "n": 1}])])
    )
    assert source.rows.column_names == ["text", "n"]


@pytest.mark.parametrize(
    ("rows", "entry", "message"),
    [
        ([{"body": "A.", "n": 1}], {}, "no column 'text'; the columns are body, n"),
        ([{"text": "A."}], {"field": "content"}, "no column 'content'; the columns are text"),
        (
            [{"text": ""}, {"text": "  "}],
            {},
            "none of its 2 rows can be augmented (2 rows are left out: no text (rows 0, 1)); check its type",
        ),
        (
            [{"text": 1}, {"text": 2}],
            {},
            "none of its 2 rows can be augmented (2 rows are left out: no text (rows 0, 1)); check its type",
        ),
        ([], {}, "look at the file, or load it with datasets.load_dataset"),
        (None, {}, "there is no such file or folder here"),
        ([{"text": "A."}], {"split": "nonsense"}, "cannot be loaded"),
    ],
)
def test_bad_source_gives_one_line(tmp_path, rows, entry, message):
    path = tmp_path / "a.jsonl"
    if rows is not None:
        write_rows(path, rows)
    with pytest.raises(SourceError) as caught:
        load_sources(recipe_for([path], **entry))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_holding_out_everything_is_an_error(tmp_path):
    path = write_rows(tmp_path / "a.jsonl", [{"text": "A."}, {"text": "B."}])
    with pytest.raises(SourceError, match="holds out all 2 different rows"):
        load_sources(recipe_for([path], val_set_size=5))
