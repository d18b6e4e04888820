import logging
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import yaml
from axolotl.cli.art import AXOLOTL_LOGO
from click.testing import CliRunner

from axolotl_augft.cli.main import augft
from axolotl_augft.cli.quiet import only_own_lines
from tests.support.data import LOCAL_BY_DOCUMENT

AXOLOTL = Path(sys.executable).parent / "axolotl"
HEAVY = {"torch", "transformers", "datasets", "axolotl", "pandas", "pyarrow", "numba", "aiohttp"}
LAST_LINE = "print(sorted({m.partition('.')[0] for m in sys.modules} & set(sys.argv[1].split(','))))"


def config_file(cfg, tmp_path):
    cfg["augft"]["augment"] = [LOCAL_BY_DOCUMENT]
    path = tmp_path / "cfg.yml"
    path.write_text(yaml.safe_dump(cfg))
    return path


def test_of_other_packages_only_errors_are_shown_and_only_while_it_lasts(caplog):
    other, own = logging.getLogger("somebody.else"), logging.getLogger("axolotl_augft")
    with caplog.at_level("INFO", logger="axolotl_augft"), warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        with only_own_lines():
            other.warning("nothing to see")
            other.error("broken")
            own.info("working")
            own.warning("careful")
            warnings.warn("deprecated", stacklevel=1)
        other.warning("back")
        warnings.warn("back", stacklevel=1)
    assert caplog.messages == ["broken", "working", "careful", "back"] and [str(w.message) for w in shown] == ["back"]


def test_it_ends_with_an_error_too(caplog):
    with pytest.raises(ZeroDivisionError), only_own_lines():
        raise ZeroDivisionError
    logging.getLogger("somebody.else").warning("back")
    assert caplog.messages == ["back"]


@pytest.mark.parametrize("command", [["report", "--summary"], ["store"]])
def test_looking_at_what_is_there_imports_nothing_heavy(cfg, tmp_path, command):
    path = config_file(cfg, tmp_path)
    assert CliRunner().invoke(augft, ["run", str(path)]).exit_code == 0
    start = (
        f"import sys; from axolotl_augft.cli.main import augft; augft({[*command, str(path)]!r}, standalone_mode=False)"
    )
    line = [sys.executable, "-c", f"{start}; {LAST_LINE}", ",".join(HEAVY)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60)
    expected = CliRunner().invoke(augft, [*command, str(path)]).stdout
    assert (done.stdout, done.stderr) == (f"{expected}[]\n", "")


@pytest.mark.slow
def test_axolotls_command_line_shows_its_banner_and_then_our_lines_only(cfg, tmp_path):
    path = str(config_file(cfg, tmp_path))

    def shown(*args):
        done = subprocess.run([AXOLOTL, "augft", *args], capture_output=True, text=True, timeout=120)
        assert done.stderr == "" and done.stdout.startswith(f"{AXOLOTL_LOGO}\n"), done.stderr
        return done.stdout.removeprefix(f"{AXOLOTL_LOGO}\n")

    ours = (
        "teacher scripted (",
        "documents 6",
        "local: 6 units",
        "  prompts ",
        "dollars: ",
        "time: ",
        "training (",
        "  before ",
        "  after ",
        "    originals ",
        "    augmented ",
        "  (augmentations as far as ",
    )
    assert [line for line in shown("plan", path).splitlines() if not line.startswith(ours)] == []
    log = [line.partition("] [axolotl_augft] ")[2] or line for line in shown("run", path).splitlines()]
    assert [line for line in log if not line.startswith(("augft: ", "result: "))] == [] and len(log) > 10
    assert shown("show", path) == CliRunner().invoke(augft, ["show", path]).stdout
    assert shown("--help").startswith("Usage: axolotl augft [OPTIONS] COMMAND [ARGS]...\n")
