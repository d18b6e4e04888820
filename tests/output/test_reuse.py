"""What the stage can say of a recipe's files before it runs."""

import pytest

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import ConfigError
from axolotl_augft.output.reuse import refuse_relative_paths
from tests.support.data import write_rows


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "own.jinja").write_text("{% block system %}{% endblock %}{% block prefix %}{% endblock %}")
    (tmp_path / "marks.jsonl").write_text("")
    (tmp_path / "texts").mkdir()
    write_rows(tmp_path / "texts" / "a.jsonl", [{"text": "Owls hunt."}])
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RAY_CHDIR_TO_TRIAL_DIR", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("keys", "augft", "named"),
    [
        ({"datasets": [{"path": "texts", "type": "completion"}]}, {}, "datasets names 'texts'"),
        ({}, {"documents": "texts"}, "augft.documents names 'texts'"),
        ({}, {"augment": [{"strategy": "local", "prompt": "own.jinja"}]}, "the recipe names 'own.jinja'"),
        ({}, {"marks": "marks.jsonl"}, "the recipe names 'marks.jsonl'"),
        ({"test_datasets": [{"path": "texts", "type": "completion"}]}, {}, "the recipe names 'texts/a.jsonl'"),
    ],
)
def test_files_that_workers_in_another_folder_would_not_find_are_refused(cfg, folder, monkeypatch, keys, augft, named):
    recipe = Recipe.from_cfg({**cfg, **keys, "augft": {**cfg["augft"], **augft}})
    path = named.split("'")[1]
    with pytest.raises(ConfigError) as error:
        refuse_relative_paths(recipe)
    assert str(error.value) == (
        f"{named}, but with use_ray the training runs in another folder; write '{folder / path}', or set "
        "RAY_CHDIR_TO_TRIAL_DIR=0"
    )
    monkeypatch.setenv("RAY_CHDIR_TO_TRIAL_DIR", "0")
    refuse_relative_paths(recipe)


def test_absolute_paths_are_found_by_all_workers(cfg, folder):
    refuse_relative_paths(Recipe.from_cfg(cfg))
