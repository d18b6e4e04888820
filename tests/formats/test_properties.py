"""For any row of a format: what is written has the source's columns and types, and axolotl tokenizes it."""

import json
import tempfile
from pathlib import Path

import pytest
from axolotl.utils.data.wrappers import get_dataset_wrapper
from axolotl.utils.dict import DictDefault
from datasets import Dataset, load_dataset
from datasets.arrow_writer import ParquetWriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from axolotl_augft.formats import format_of
from axolotl_augft.formats.content import Augmentation, Exchange, Unfit

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).map(
    lambda t: f"w {t}"
)
ROLES = st.sampled_from(["user", "assistant", "system", "tool"])
EXTRA = st.fixed_dictionaries(
    {}, optional={"weight": st.integers(0, 1), "name": TEXT, "reasoning_content": TEXT, "train": st.booleans()}
)
PARTS = st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": TEXT}), min_size=1, max_size=2)
MESSAGE = st.builds(
    lambda role, content, more: {"role": role, "content": content, **more}, ROLES, TEXT | PARTS | st.none(), EXTRA
)
TOOL = st.fixed_dictionaries(
    {
        "type": st.just("function"),
        "function": st.fixed_dictionaries({"name": TEXT, "parameters": st.dictionaries(st.sampled_from("abc"), TEXT)}),
    }
)
LAST = [{"role": "user", "content": "Who is it?"}, {"role": "assistant", "content": "It is Mara."}]
CHAT_ROWS = st.lists(
    st.fixed_dictionaries(
        {"messages": st.lists(MESSAGE, max_size=3).map(lambda ms: [*ms, *LAST])},
        optional={"tools": st.lists(TOOL, max_size=2)},
    ),
    min_size=1,
    max_size=3,
)
ALPACA_ROWS = st.lists(
    st.fixed_dictionaries(
        {"instruction": TEXT, "output": TEXT, "input": TEXT | st.just(""), "n": st.integers(0, 9) | st.none()}
    ),
    min_size=1,
    max_size=3,
)
SEGMENT = st.fixed_dictionaries({"label": st.booleans(), "text": TEXT})
SEGMENT_ROWS = st.lists(
    st.fixed_dictionaries({"segments": st.lists(SEGMENT, min_size=1, max_size=4)}), min_size=1, max_size=3
)
KINDS = [("chat_template", CHAT_ROWS), ("alpaca", ALPACA_ROWS), ("input_output", SEGMENT_ROWS)]


def loaded(rows, folder):
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return load_dataset("json", data_files=str(path), split="train", cache_dir=str(folder / "cache"))


def written(rows, features, folder):
    path = folder / "new.parquet"
    with ParquetWriter(path=str(path), features=features) as writer:
        for row in rows:
            writer.write(row)
        writer.finalize()
    return Dataset.from_parquet(str(path), cache_dir=str(folder / "cache"))


@pytest.mark.parametrize(("name", "rows"), KINDS, ids=[name for name, _ in KINDS])
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_augmented_rows_have_the_sources_columns_and_types_and_are_tokenized(data, name, rows, tiny_model):
    form = format_of({"type": name})
    new = Augmentation("It is the answer.", "Is it the question?")
    with tempfile.TemporaryDirectory() as name_of_folder:
        folder = Path(name_of_folder)
        source = loaded(data.draw(rows), folder)
        contents = [form.read(row) for row in source]
        assert all(isinstance(c, Exchange | Unfit) for c in contents)
        fit = [row for row, content in zip(source, contents, strict=True) if isinstance(content, Exchange)]
        if not fit:
            return
        made = written([form.row(row, new) for row in fit], source.features, folder)
        assert made.features == source.features
        for row, old in zip(made, fit, strict=True):
            assert form.read(row).question == new.question and form.read(row).answer == new.text
            assert all(set(m) <= {key for given in old["messages"] for key in given} for m in row.get("messages", ()))
            assert row.get("tools") == old.get("tools")
        entry = DictDefault({"path": "x", "type": name, "chat_template": "chatml"})
        cfg = DictDefault({"sequence_len": 512, "dataset_num_proc": 1})
        tokenizer = AutoTokenizer.from_pretrained(tiny_model)
        tokenized, _ = get_dataset_wrapper(entry, tokenizer, cfg, name, made)
        for row in tokenized:
            trained = tokenizer.decode([t for t in row["labels"] if t != -100])
            assert "It is the answer." in trained and "Is it the question?" not in trained
