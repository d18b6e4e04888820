"""The data set card, and what is uploaded: to a real server on this machine that stands in for the hub."""

import io
import json
import os
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner
from datasets import load_dataset

from axolotl_augft.cli.main import augft
from tests.support.hub_server import HubServer


@pytest.fixture
def config(cfg, tmp_path):
    cfg["augft"]["augment"] = ["local"]
    cfg["val_set_size"] = 2
    path = tmp_path / "cfg.yml"
    path.write_text(yaml.safe_dump(cfg))
    assert CliRunner().invoke(augft, ["run", str(path)]).exit_code == 0
    return path


def result_of(config):
    (manifest,) = (config.parent / "prepared" / "augft").glob("*/manifest.json")
    return manifest.parent


def push(config, hub, *options, answer="y\n", **environment):
    command = [sys.executable, "-c", "from axolotl_augft.cli.main import augft; augft()"]
    command += ["push", str(config), "me/x", *options]
    given = {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": hub.url, "HF_TOKEN": "hf_secret", **environment}
    return subprocess.run(command, input=answer, env={**os.environ, **given}, capture_output=True, text=True)


def test_the_card_beside_the_rows(config):
    text = (result_of(config) / "README.md").read_text()
    _, header, body = text.split("---\n", 2)
    assert yaml.safe_load(header) == {
        "language": ["en"],
        "task_categories": ["text-generation"],
        "size_categories": ["n<1K"],
        "tags": ["synthetic", "augmented-fine-tuning", "axolotl"],
        "configs": [{"config_name": "0-augmented", "data_files": [{"split": "train", "path": "0-augmented.parquet"}]}],
    }
    manifest = json.loads((result_of(config) / "manifest.json").read_text())
    assert f"| `0-augmented.parquet` | {manifest['entries'][0]['augmented']['rows']} |" in body
    assert "`scripted` wrote these statements about 4 documents" in body
    assert "2 source rows were held out for evaluation" in body
    assert "* Strategy `local`, with its defaults" in body and "not stated; the terms of the teacher" in body
    assert str(config.parent) not in text


@pytest.mark.slow
def test_push_uploads_what_it_says_to_a_private_data_set(config, tmp_path):
    with HubServer() as hub:
        done = push(config, hub, "--license", "apache-2.0")
    assert done.returncode == 0, done.stderr
    assert "0-augmented.parquet: " in done.stdout and f"{hub.url}/datasets/me/x" in done.stdout
    (made,) = hub.made
    private = made.get("private") or made.get("visibility") == "private"  # older and newer clients
    assert (made["type"], made["name"], private) == ("dataset", "x", True)
    assert sorted(hub.files) == ["0-augmented.parquet", "README.md", "rejected.jsonl"]
    assert str(tmp_path).encode() not in b"".join(hub.files.values()) and b"hf_secret" not in b"".join(
        hub.files.values()
    )
    rows = pq.read_table(io.BytesIO(hub.files["0-augmented.parquet"])).to_pylist()
    before = pq.read_table(result_of(config) / "0-augmented.parquet").to_pylist()
    assert rows == [{**row, "augft_source": "data.jsonl"} for row in before]
    assert "license: apache-2.0\n" in hub.files["README.md"].decode()
    for name, content in hub.files.items():
        (tmp_path / "copy").mkdir(exist_ok=True)
        (tmp_path / "copy" / name).write_bytes(content)
    # `datasets` takes a cached folder of the same name for this one.
    loaded = load_dataset(str(tmp_path / "copy"), "0-augmented", split="train", cache_dir=str(tmp_path / "cache"))
    assert loaded.num_rows == len(before) and loaded.column_names == list(before[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "options", "answer", "environment", "said"),
    [
        (None, (), "n\n", {}, ""),
        (403, ("--yes",), "", {}, "Error: augft: the hub refuses me/x (403); check the name and that your token may"),
        (None, ("--yes",), "", {"HF_HUB_OFFLINE": "1"}, "Error: augft: HF_HUB_OFFLINE is set, so nothing was"),
    ],
)
def test_nothing_is_uploaded_unless_the_user_and_the_hub_agree(config, status, options, answer, environment, said):
    with HubServer(status) as hub:
        done = push(config, hub, *options, answer=answer, **environment)
    assert hub.files == {} and said in done.stderr and "hf_secret" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_the_teacher_s_own_licence_is_named(config, cfg, tmp_path):
    from axolotl_augft.config.recipe import Recipe
    from axolotl_augft.report.push import teacher_license

    folder = tmp_path / "model"
    folder.mkdir()
    cfg["augft"]["teacher"]["model"] = str(folder)
    recipe = Recipe.from_cfg(cfg)
    assert teacher_license(recipe) is None
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# A model\n")
    assert teacher_license(recipe) == "apache-2.0"
    of_rules = {**cfg, "augft": {**cfg["augft"], "augment": ["cloze"]}}
    assert teacher_license(Recipe.from_cfg(of_rules)) is None
    (folder / "README.md").write_text("# A model\n")
    assert teacher_license(recipe) is None
