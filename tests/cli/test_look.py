"""`show` and `mark`: what they print of a finished result, and what they select."""

import json
from io import StringIO

import pytest
import yaml
from click.testing import CliRunner
from rich.console import Console

from axolotl_augft.cli.main import augft
from axolotl_augft.cli.show import Shown, _table, lines
from axolotl_augft.errors import ConfigError
from axolotl_augft.report.reviewed import Statement
from axolotl_augft.report.selection import Selection, doubt, search_pattern
from tests.support.teacher_server import scripted_answer


@pytest.fixture
def config(cfg, tmp_path, teacher):
    cfg["augft"]["augment"] = ["local"]
    cfg["val_set_size"] = 1
    teacher.answer = lambda body: f"{scripted_answer(body)}\n[1] rephrasing: A tail without an end"
    path = tmp_path / "cfg.yml"
    path.write_text(yaml.safe_dump(cfg))
    assert CliRunner().invoke(augft, ["run", str(path)]).exit_code == 0
    return str(path)


def call(*args, code=0, **more):
    result = CliRunner().invoke(augft, list(args), **more)
    assert result.exit_code == code, result.output
    return result.output


def statement(text="A is B.", kind="reversal", reason=None, probability=None, question=None):
    return Statement(text, question, "local", kind, reason, 0, "d", "00", 0, probability)


@pytest.mark.parametrize(
    ("selection", "chosen"),
    [
        (Selection(), "abcd"),
        (Selection(kinds=("reversal",)), "ac"),
        (Selection(kinds=("local/rephrasing",)), "bd"),
        (Selection(rejected=True), "cd"),
        (Selection(rejected=False), "ab"),
        (Selection(reasons=("echo",)), "c"),
        (Selection(grep=search_pattern("WHO|^c")), "cd"),
        (Selection(below=0.5), "bc"),
        (Selection(rejected=False, below=0.5), "b"),
    ],
)
def test_a_selection_takes_what_it_names(selection, chosen):
    statements = [
        statement("a", probability=0.9),
        statement("b", "rephrasing", probability=0.2),
        statement("c", reason="echo", probability=0.4),
        statement("d", "rephrasing", reason="malformed", question="Who is it?"),
    ]
    assert "".join(s.text for s in statements if selection.matches(s)) == chosen


def test_a_pattern_that_is_none_is_refused():
    with pytest.raises(ConfigError, match=r"--grep '\(' is not a regular expression"):
        search_pattern("(")


def test_the_most_doubtful_statement_comes_first():
    source = "A is B."
    ordered = [
        statement("C is D.", probability=0.1),
        statement("A is B.", probability=0.9),
        statement("New words here."),
        statement("A is not B."),
        statement("x", reason="echo", probability=0.8),
        statement("y", reason="echo", probability=0.2),
        statement("A is B.", reason="echo"),
    ]
    assert sorted(ordered[::-1], key=lambda s: doubt(s, source)) == ordered


SHOWN = Shown(0, "d.jsonl", None, 3, "A is\x1b[31m B.", (statement(probability=0.5), statement("C", reason="echo")))


def test_lines_and_tables_say_the_same():
    assert lines(SHOWN) == ["d.jsonl row 3: A is  B.", "  + reversal (P 0.50): A is B.", "  - reversal, echo: C"]
    file = StringIO()
    Console(file=file, width=100, force_terminal=True, color_system="standard").print(_table(SHOWN))
    assert "d.jsonl row 3" in file.getvalue() and "\x1b[32m+" in file.getvalue()
    assert "reversal, echo" in file.getvalue() and "\x1b[31m B." not in file.getvalue()


def test_show_takes_filters_and_says_what_is_held_out(config):
    shown = call("show", config, "--rejected", "--grep", "tail", "--limit", "9")
    assert "  - rephrasing, malformed: A tail without an end" in shown and "  + " not in shown
    assert shown.splitlines()[-1].endswith(": 1 rows held out for evaluation; nothing was written about them")
    assert "reversal: Seen" in call("show", config, "--kept", "--kind", "reversal", "--doubtful")


def test_mark_takes_out_what_it_selects_once_it_is_told_to(config, tmp_path):
    marks = str(tmp_path / "marks.jsonl")
    asked = call("mark", config, "--kind", "rephrasing", "--grep", "pumps", "--marks", marks, input="n\n")
    assert "  - rephrasing: In other words, All pumps carry a label." in asked
    assert "Mark these 1 statements out?" in asked and not (tmp_path / "marks.jsonl").exists()
    done = call("mark", config, "--kind", "rephrasing", "--grep", "pumps", "--marks", marks, "--yes")
    assert f"{marks}: 1 marks" in done and f"add `marks: {marks}` to the augft: block" in done
    assert "6 marks" in call("mark", config, "--in", "--grep", "tail", "--marks", marks, "--yes").splitlines()[-2]
    out, brought, *_ = map(json.loads, (tmp_path / "marks.jsonl").read_text().splitlines())
    assert (out["mark"], out["text"]) == ("out", "In other words, All pumps carry a label.")
    assert (brought["mark"], brought["text"]) == ("in", "A tail without an end")
    assert "no statement fits" in call("mark", config, "--grep", "nothing like it", "--marks", marks)


def test_mark_does_not_mark_everything_by_accident(config):
    assert "this would mark every statement" in call("mark", config, code=1)


def test_what_is_there_instead_of_a_result_is_said(config, cfg, tmp_path):
    cfg["seed"] = 7
    (tmp_path / "other.yml").write_text(yaml.safe_dump(cfg))
    assert "those there are of other settings or of another version" in call(
        "report", str(tmp_path / "other.yml"), code=1
    )
    (folder,) = [m.parent for m in (tmp_path / "prepared" / "augft").glob("*/manifest.json")]
    (folder / "manifest.json").unlink()
    said = "Every answer is stored, but the result is not written, as after a change of marks, settings or version: "
    assert call("report", config, "--summary").startswith(said)
