import tempfile
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from axolotl_augft.cli.main import augft
from tests.support.data import LOCAL_BY_DOCUMENT
from tests.support.https_server import HttpsServer


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def server(tmp_path, cfg):
    cfg["augft"]["augment"] = [LOCAL_BY_DOCUMENT]
    files = {"/recipes/cfg.yml": yaml.safe_dump(cfg), "/page.yml": "<p>: [", "/list.yml": "- a"}
    with HttpsServer(files, tmp_path) as running:
        yield running


@pytest.fixture
def trusted(server, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(server.ca_file))
    return server


def test_a_recipe_over_https_is_the_recipe_in_a_file(trusted, cfg, tmp_path, temporary_folder):
    path = tmp_path / "cfg.yml"
    path.write_text(yaml.safe_dump(cfg))
    remote = CliRunner().invoke(augft, ["plan", f"{trusted.address}/recipes/cfg.yml?token=hidden"])
    assert "local: 6 units, 6 requests: 0 answered already, 6 to ask" in remote.stdout.splitlines()
    assert remote.stdout == CliRunner().invoke(augft, ["plan", str(path)]).stdout
    assert list(temporary_folder.iterdir()) == []


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("/none.yml", "cannot be downloaded (the server answers 404 Not Found); check the address and the network"),
        ("/page.yml", "not valid YAML; give the address of the YAML itself, not of a page"),
        ("/list.yml", "not an axolotl config; it holds no keys"),
        ("/", "not the address of a file; give the address of the YAML itself"),
    ],
)
def test_what_cannot_be_used_is_one_line_without_the_secret(trusted, file, message):
    result = CliRunner().invoke(augft, ["report", f"{trusted.address}{file}?token=hidden"])
    assert result.exit_code == 1 and result.output == f"Error: augft: https://127.0.0.1{file}: {message}\n"


def test_a_certificate_that_is_not_trusted(server):
    result = CliRunner().invoke(augft, ["plan", f"{server.address}/recipes/cfg.yml"])
    reason = "the server's certificate is not trusted here"
    assert result.output.startswith(
        f"Error: augft: https://127.0.0.1/recipes/cfg.yml: cannot be downloaded ({reason});"
    )


def test_nobody_there():
    result = CliRunner().invoke(augft, ["plan", "https://127.0.0.1:9/cfg.yml"])
    assert result.output.startswith("Error: augft: https://127.0.0.1/cfg.yml: cannot be downloaded (no connection);")


@pytest.mark.parametrize("config", ["http://127.0.0.1:9/cfg.yml", "nowhere.yml"])
def test_anything_else_is_a_file(config):
    result = CliRunner().invoke(augft, ["plan", config])
    assert result.exit_code == 2 and f"File '{config}' does not exist" in result.output
    assert not Path(config).exists()
