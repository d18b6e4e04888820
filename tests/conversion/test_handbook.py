"""`augft.documents` through the stage and the plugin: folder in, training rows out."""

import os
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from axolotl.integrations.base import PluginManager
from click.testing import CliRunner

from axolotl_augft.bench.experiments.own import own_plan
from axolotl_augft.cli.main import augft
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.conversion import convert as converting
from axolotl_augft.conversion import rows as folder_rows
from axolotl_augft.errors import AugftError, ConfigError, SourceError
from axolotl_augft.output.manifest import result_folder
from axolotl_augft.output.reuse import find_result
from axolotl_augft.stage import run_stage
from tests.support.data import write_rows
from tests.support.document_files import add_bad_files, write_handbook
from tests.support.launching import hook, load
from tests.support.teacher_server import prompt_of

ROWS = [
    ("leave.html", "Acme intranet", "Leave"),
    ("notes.txt", "notes", ""),
    ("policy.docx", "Expense policy", "Travel"),
    ("policy.docx", "Expense policy", "Travel > Hotels"),
    ("pumps/old/handbook.pdf", "Pump handbook", "Alarms"),
    ("pumps/old/handbook.pdf", "Pump handbook", "Valves"),
    ("pumps/überlauf.md", "Overflow", ""),
    ("pumps/überlauf.md", "Overflow", "Alarm"),
    ("pumps/überlauf.md", "Overflow", "Code"),
]


@pytest.fixture
def handbook(tmp_path: Path) -> Path:
    return write_handbook(tmp_path / "handbook")


@pytest.fixture
def recipe_cfg(cfg, handbook):
    """A recipe that has documents and no `datasets`."""
    del cfg["datasets"]
    cfg["augft"] |= {"documents": str(handbook), "augment": ["local"]}
    return cfg


def run(cfg):
    recipe = Recipe.from_cfg(cfg)
    result = run_stage(recipe)
    return result, result_folder(recipe, result.fingerprint)


def rows(folder: Path, name: str) -> list[dict]:
    return pq.read_table(folder / name).to_pylist()


def origin(row: dict) -> tuple[str, str, str]:
    return row["augft_file"], row["augft_title"], row["augft_section"]


def no_conversion(monkeypatch):
    monkeypatch.setattr(folder_rows, "Converters", lambda processes: pytest.fail("something was converted again"))


def test_literal_rows_with_title_section_and_file(recipe_cfg, handbook, teacher):
    result, folder = run(recipe_cfg)
    original = rows(folder, "0-original.parquet")
    assert [origin(row) for row in original] == ROWS
    assert original[7]["text"].startswith("Overflow > Alarm: The Plover alarm is louder than the Dipper buzzer.")
    assert {row["augft_source"] for row in original} == {str(handbook)}
    augmented = rows(folder, "0-augmented.parquet")
    assert {origin(row) for row in augmented} == set(ROWS[:-1]), "a line of code is no statement"
    assert all(origin(row) == ROWS[row["augft_row"]] for row in augmented)
    assert result.entries[0].path == str(handbook) and result.counts.skipped_files == 0
    asked = "\n".join(prompt_of(body) for body in teacher.bodies)
    assert "Overflow > Alarm" in asked and "alert(" not in asked and "a secret" not in asked


def test_changed_added_and_removed_files_make_a_new_result_and_old_contents_the_old_one(
    recipe_cfg, handbook, teacher, monkeypatch
):
    first, _ = run(recipe_cfg)
    asked = len(teacher.bodies)
    no_conversion(monkeypatch)
    os.utime(handbook / "leave.html", (1, 1))
    assert run(recipe_cfg)[0] == first
    monkeypatch.undo()

    note = handbook / "pumps" / "old" / "new.md"
    note.write_text("# News\n\nThe Heron is a pump.")
    second, folder = run(recipe_cfg)
    assert len(teacher.bodies) == asked + 1
    assert ("pumps/old/new.md", "News", "") in [origin(row) for row in rows(folder, "0-original.parquet")]

    note.write_text("# News\n\nThe Heron is a pipe.")
    third, folder = run(recipe_cfg)
    assert len({first.fingerprint, second.fingerprint, third.fingerprint}) == 3
    assert "News: The Heron is a pipe." in [row["text"] for row in rows(folder, "0-original.parquet")]

    note.unlink()
    assert run(recipe_cfg)[0] == first


def test_an_edit_of_what_is_only_trained_on_reaches_axolotl_under_a_new_path(recipe_cfg, handbook, tmp_path):
    extra = tmp_path / "extra.md"
    extra.write_text("Spare text.")
    recipe_cfg["augft"] |= {"documents": [str(handbook), str(extra)], "exclude": [str(extra)]}
    before = hook(load(recipe_cfg)).datasets[-1].path
    extra.write_text("Other text.")
    after = hook(load(recipe_cfg)).datasets[-1].path
    assert before != after
    assert pq.read_table(after)["text"].to_pylist() == ["extra: Other text."]


def test_other_files_in_the_folder_change_nothing(recipe_cfg, handbook):
    """Not even what the stage itself writes, where the folder holds its output folder."""
    recipe_cfg["dataset_prepared_path"] = str(handbook / "prepared")
    first, _ = run(recipe_cfg)
    (handbook / "logo.png").touch()
    (handbook / ".git").mkdir()
    (handbook / ".git" / "notes.md").write_text("Hidden.")
    assert find_result(Recipe.from_cfg(recipe_cfg)) == first


def test_a_changed_setting_converts_nothing_again(recipe_cfg, monkeypatch):
    run(recipe_cfg)
    no_conversion(monkeypatch)
    recipe_cfg["augft"]["repeat_augmented"] = 2
    recipe_cfg["augft"]["max_augmented_per_original"] = 1
    _, folder = run(recipe_cfg)
    assert len(rows(folder, "0-original.parquet")) == len(ROWS)


def test_bad_files_are_named_and_left_out(recipe_cfg, handbook, caplog):
    bad = add_bad_files(handbook)
    (handbook / "logo.svg").touch()
    with caplog.at_level("WARNING", logger="axolotl_augft"):
        result, folder = run(recipe_cfg)
    assert [origin(row) for row in rows(folder, "0-original.parquet")] == ROWS
    for name, reason in bad.items():
        assert f"augft: {handbook}: {name}: {reason}" in caplog.text
    assert f"augft: {handbook}: files of other types are left out (.svg 1)" in caplog.text
    assert result.counts.skipped_files == len(bad)
    assert (
        f"files left out {len(bad)}"
        in CliRunner().invoke(augft, ["report", written(recipe_cfg, handbook.parent)]).output
    )


def test_stop_ends_the_run_even_where_skip_has_converted(recipe_cfg, handbook):
    add_bad_files(handbook)
    run(recipe_cfg)
    recipe_cfg["augft"]["documents"] = {"paths": str(handbook), "on_error": "stop"}
    with pytest.raises(SourceError) as caught:
        run(recipe_cfg)
    assert (
        "bare.html: holds no text, broken.pdf: broken (PdfiumError), cut.docx: broken (BadZipFile) (and 5 more)"
        in str(caught.value)
    )
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder.rmdir(), "there is no such file or folder"),
        (lambda folder: None, "no file that can be used; it is empty"),
        (
            lambda folder: (folder / "a.xlsx").touch(),
            "no file that can be used; files of other types (.xlsx 1). Supported types: .md",
        ),
        (lambda folder: (folder / "a.md").touch(), "no file that can be used; a.md: empty"),
    ],
)
def test_nothing_to_train_on_is_one_line(recipe_cfg, tmp_path, make, message):
    folder = tmp_path / "folder"
    folder.mkdir()
    make(folder)
    recipe_cfg["augft"]["documents"] = str(folder)
    with pytest.raises(AugftError) as caught:
        run(recipe_cfg)
    assert str(caught.value).startswith(f"augft.documents: {folder}: {message}")
    assert "\n" not in str(caught.value)


def test_a_folder_that_went_away_is_not_served_from_an_old_result(recipe_cfg, handbook):
    run(recipe_cfg)
    shutil.rmtree(handbook)
    with pytest.raises(SourceError, match="there is no such file or folder"):
        run(recipe_cfg)


def test_missing_libraries_are_one_line_and_not_needed_for_what_is_converted(recipe_cfg, handbook, monkeypatch):
    monkeypatch.setattr(converting, "_LIBRARIES", ("bs4", "no_such_library"))
    with pytest.raises(ConfigError) as caught:
        run(recipe_cfg)
    assert str(caught.value).endswith("(no_such_library); run: pip install 'axolotl-augft[documents]'")
    monkeypatch.undo()
    run(recipe_cfg)
    monkeypatch.setattr(converting, "_LIBRARIES", ("no_such_library",))
    recipe_cfg["augft"]["repeat_augmented"] = 2
    run(recipe_cfg)


def test_documents_and_datasets_together_with_rows_held_out(recipe_cfg, data, handbook):
    recipe_cfg["datasets"] = [{"path": str(data), "ds_type": "json", "type": "completion"}]
    recipe_cfg["val_set_size"] = 5
    result, folder = run(recipe_cfg)
    assert [entry.path for entry in result.entries] == [str(data), str(handbook)]
    held_out = [row for name in ("0-held-out.parquet", "1-held-out.parquet") for row in rows(folder, name)]
    assert len(held_out) == 5
    kept = [origin(row) for row in rows(folder, "1-original.parquet")]
    assert sorted(kept + [origin(row) for row in held_out if "augft_file" in row]) == sorted(ROWS)


def test_sentence_splitting_keeps_where_a_sentence_comes_from(recipe_cfg):
    recipe_cfg["augft"]["sentence_splitting"] = "independent"
    _, folder = run(recipe_cfg)
    first = rows(folder, "0-original.parquet")[:2]
    assert [(row["text"], origin(row)) for row in first] == [
        ("Acme intranet > Leave: Staff have 30 days of leave.", ROWS[0]),
        ("Ask Mara Quell.", ROWS[0]),
    ]


def test_cumulative_splitting_keeps_where_a_row_comes_from(recipe_cfg):
    recipe_cfg["augft"]["sentence_splitting"] = "cumulative"
    _, folder = run(recipe_cfg)
    second = rows(folder, "0-original.parquet")[1]
    assert second["segments"][1]["text"] == " Ask Mara Quell.</s>" and origin(second) == ROWS[0]


@pytest.fixture
def plugins():
    PluginManager.get_instance().plugins.clear()
    yield
    PluginManager.get_instance().plugins.clear()


def test_raw_and_validated_recipes_are_one(recipe_cfg, data, plugins):
    for datasets in ([], [{"path": str(data), "ds_type": "json", "type": "completion"}]):
        cfg = {**recipe_cfg, "datasets": datasets} if datasets else recipe_cfg
        raw, validated = Recipe.from_cfg(cfg), Recipe.from_cfg(load(cfg))
        assert raw.key == validated.key and raw.datasets == validated.datasets
        assert len(load(cfg).datasets) == len(datasets) + 1


def test_register_reads_no_file(recipe_cfg, handbook, plugins):
    shutil.rmtree(handbook)
    assert len(load(recipe_cfg).datasets) == 1


def test_the_hook_hands_axolotl_files_it_loads(recipe_cfg, handbook, plugins):
    from axolotl.utils.data.shared import load_dataset_with_config

    original, augmented = hook(load(recipe_cfg)).datasets
    assert original.type == augmented.type == "completion"
    assert len(load_dataset_with_config(original, False)) == len(ROWS)
    assert {"text", "augft_file", "augft_strategy"} <= set(load_dataset_with_config(augmented, False).column_names)
    placeholder = load(recipe_cfg).datasets[0]
    assert len(load_dataset_with_config(placeholder, False)) == len(ROWS), "what axolotl evaluate loads"


def test_an_entry_is_named_by_the_path_as_written(recipe_cfg, handbook, tmp_path):
    extra = tmp_path / "extra.txt"
    extra.write_text("The Heron is a pump.")
    recipe_cfg["augft"] |= {"documents": [str(handbook), str(extra)], "exclude": [str(extra)]}
    result, _ = run(recipe_cfg)
    assert [(entry.path, entry.augmented is not None) for entry in result.entries] == [
        (str(handbook), True),
        (str(extra), False),
    ]


def written(cfg, folder: Path) -> str:
    (folder / "cfg.yml").write_text(yaml.safe_dump(cfg))
    return str(folder / "cfg.yml")


def test_plan_run_show(recipe_cfg, teacher, tmp_path):
    config = written(recipe_cfg, tmp_path)

    def call(*args):
        done = CliRunner().invoke(augft, [*args, config])
        assert done.exit_code == 0, done.output
        return done.output

    assert f"documents {len(ROWS)}" in call("plan")
    assert teacher.bodies == []
    call("run")
    assert "nothing will be asked" in call("plan")
    shown = call("show", "--limit", "20")
    assert "handbook row 7 (pumps/überlauf.md): Overflow > Alarm: The Plover alarm" in shown


def test_bench_own_trains_on_documents_in_every_condition(recipe_cfg, tmp_path):
    asked = write_rows(
        tmp_path / "q.jsonl", [{"prompt": "Port Ennis lies", "choices": ["north", "south"], "answer": "north"}]
    )
    plan = own_plan(Path(written(recipe_cfg, tmp_path)), asked)
    assert len(plan.documents) == len(ROWS) and "documents" not in plan.augft
    (entry,) = plan.recipe["datasets"]
    assert entry["type"] == "completion" and pq.read_table(entry["path"])["text"].to_pylist() == list(plan.documents)


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        (5, "augft.documents: input should be a valid list, got 5"),
        ([], "augft.documents: list should have at least 1 item"),
        ([""], "augft.documents[0]: string should have at least 1 character"),
        (["a", "b/../a"], "'a' is or lies in 'b/../a', so its rows would be there twice"),
        (["hand/", "hand/book.md"], "'hand/book.md' is or lies in 'hand/'"),
        ({"paths": "a", "on_eror": "stop"}, "augft.documents.on_eror: unknown key; did you mean 'on_error'?"),
        (
            {"paths": "a", "on_error": "ignore"},
            "augft.documents.on_error: input should be 'skip' or 'stop', got 'ignore'",
        ),
    ],
)
def test_bad_setting_gives_one_line(documents, message):
    with pytest.raises(ConfigError) as caught:
        Recipe.from_cfg({"augft": {"documents": documents}, "base_model": "m"})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_key_depends_on_what_is_read(handbook):
    def key(documents):
        return Recipe.from_cfg({"augft": {"documents": documents}, "base_model": "m"}).key

    assert key("a") == key(["a"]) == key({"paths": ["a"]})
    assert len({key("a"), key("b"), key(["a", "b"]), key({"paths": "a", "on_error": "stop"})}) == 4


def test_ranks_that_wait_convert_nothing(recipe_cfg, monkeypatch):
    run(recipe_cfg)
    no_conversion(monkeypatch)
    assert find_result(Recipe.from_cfg(recipe_cfg)) is not None
