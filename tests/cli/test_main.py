import subprocess
import sys

import pytest
import yaml
from click.testing import CliRunner

from axolotl_augft.cli.main import augft
from tests.support.data import LOCAL_BY_DOCUMENT
from tests.support.distributions import shadow_axolotl


@pytest.fixture
def config(cfg, tmp_path):
    cfg["augft"]["augment"] = [LOCAL_BY_DOCUMENT]
    path = tmp_path / "cfg.yml"
    path.write_text(yaml.safe_dump(cfg))
    return str(path)


def call(*args):
    return CliRunner().invoke(augft, list(args))


def test_plan_run_show_report(config, teacher):
    assert "local: 6 units, 6 requests: 0 answered already, 6 to ask" in call("plan", config).output
    assert teacher.bodies == []
    done = call("run", config)
    assert done.exit_code == 0 and "result: " in done.output
    assert len(teacher.bodies) == 6
    assert "  + reversal: Seen from its end, All pumps carry a label." in call("show", config, "--limit", "6").output
    assert "statements accepted 18" in call("report", config).output


def test_refused_requests_are_asked_again_on_demand(config, teacher):
    from aiohttp import web

    from tests.support.teacher_server import prompt_of

    async def filtered(_, body):
        return (
            web.json_response({"error": {"code": "content_filter"}}, status=400)
            if "Cats are more" in prompt_of(body)
            else None
        )

    teacher.misbehave = filtered
    assert call("run", config).exit_code == 0
    assert "content_filter 1" in call("report", config).output
    teacher.misbehave = None
    assert call("run", config).exit_code == 0 and len(teacher.bodies) == 6
    again = call("run", config, "--ask-again", "filtered")
    assert "forgot 1 stored outcomes" in again.output and len(teacher.bodies) == 7
    assert "content_filter" not in call("report", config).output


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "not valid YAML"),
        ("- a", "not an axolotl config"),
        ("augft: {}\ndatasets: [{path: d, type: completion}]", "no plugin entry"),
        ("plugins: [axolotl_augft.AugFTPlugin]\ndatasets: [{path: d, type: completion}]", "has no augft: block"),
    ],
)
def test_bad_config_gives_one_line(tmp_path, monkeypatch, text, message):
    monkeypatch.syspath_prepend(shadow_axolotl(tmp_path / "site", "0.19.0"))
    path = tmp_path / "cfg.yml"
    path.write_text(text)
    result = call("plan", str(path))
    assert result.exit_code == 1
    (line,) = [line for line in result.output.splitlines() if line.strip()]
    assert message in line and line.startswith("Error: augft: ")


def test_ctrl_c_is_one_line_that_says_how_to_go_on(config, monkeypatch):
    def stopped(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("axolotl_augft.stage.make_result", stopped)
    result = call("run", config)
    assert result.exit_code == 130
    assert result.output.splitlines()[-1] == "augft: stopped; every answer that arrived is stored: run again to go on"


@pytest.mark.parametrize(("words", "loaded"), [("--help", "False"), ("bench --help", "True")])
def test_bench_is_imported_when_it_is_called(words, loaded):
    code = (
        "import sys\nfrom axolotl_augft.cli.main import augft\n"
        f"augft({words.split()!r}, standalone_mode=False)\nprint('axolotl_augft.bench.cli' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    assert shown[-1] == loaded and any("bench" in line or "reach" in line for line in shown)
