"""Marks at work: the next run applies them without a teacher, and notices an edited file."""

import json

import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner

from axolotl_augft.cli.main import augft
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import ConfigError
from axolotl_augft.marks import Mark
from axolotl_augft.output.manifest import result_folder
from axolotl_augft.output.reuse import find_result
from axolotl_augft.report.reviewed import read_statements
from axolotl_augft.stage import run_stage
from tests.report.test_page_data import read_blocks
from tests.support.teacher_server import scripted_answer


def call(*args):
    result = CliRunner().invoke(augft, list(args))
    assert result.exit_code == 0, result.output
    return result.output


def run(cfg):
    recipe = Recipe.from_cfg(cfg)
    folder = result_folder(recipe, run_stage(recipe).fingerprint)
    rows = pq.read_table(folder / "0-augmented.parquet").to_pylist()
    return recipe, [r["text"] for r in rows], [json.loads(x) for x in (folder / "rejected.jsonl").open()], rows


def test_the_next_run_applies_marks_without_a_teacher(cfg, teacher, tmp_path):
    cfg["augft"]["augment"] = ["local"]
    teacher.answer = lambda body: f"{scripted_answer(body)}\n[1] rephrasing: A tail without an end"
    _, kept, rejected, rows = run(cfg)
    asked = len(teacher.bodies)
    marks = tmp_path / "marks.jsonl"
    out = {"mark": "out", "document": rows[0]["augft_document"], "text": kept[0]}
    brought = {"mark": "in", "document": rejected[0]["augft_document"], "text": rejected[0]["text"]}
    marks.write_text(f"{json.dumps(out)}\n{json.dumps(brought)}\n")
    cfg["augft"]["marks"] = str(marks)
    cfg["augft"]["teacher"] = {**cfg["augft"]["teacher"], "base_url": "http://127.0.0.1:9/v1"}
    recipe, after, reasons, rows = run(cfg)
    assert len(teacher.bodies) == asked
    assert {r["text"]: r["augft_overruled"] for r in rows if r["augft_overruled"]} == {
        "A tail without an end": "malformed"
    }
    says_what_is_by_hand(cfg, tmp_path)
    assert kept[0] not in after and rejected[0]["text"] in after
    assert [r["reason"] for r in reasons if r["text"] == kept[0]][0] == "marked"
    assert find_result(recipe) is not None
    marks.write_text(f"{json.dumps(out)}\n")
    assert find_result(recipe) is None
    assert rejected[0]["text"] not in run(cfg)[1]


def says_what_is_by_hand(cfg, tmp_path):
    config = str(tmp_path / "cfg.yml")
    (tmp_path / "cfg.yml").write_text(yaml.safe_dump(cfg))
    assert "  + rephrasing, brought in by hand, was malformed: A tail without an end" in call("show", config)
    assert "by hand: 1 taken out, 1 brought in" in call("report", config, "--out", str(tmp_path / "p.html"))
    (sources,) = read_blocks((tmp_path / "p.html").read_text())["sources"]
    (head,) = read_blocks((tmp_path / "p.html").read_text())["head"]
    overruled = [(s[4], head["reasons"][s[13]]) for source in sources for s in source[7] if s[13] >= 0]
    assert overruled == [("A tail without an end", "malformed")]
    assert head["runs"][0]["by_hand"] == "1 taken out, 1 brought in"
    cards = [c.read_text() for c in (tmp_path / "prepared" / "augft").glob("*/README.md")]
    assert sum("A person went through the statements: 1 taken out, 1 brought in." in c for c in cards) == 1
    assert "marks 2: 2 match a statement" in call("plan", config).splitlines()


def test_plan_applies_marks_before_the_run_does(cfg, teacher, tmp_path):
    cfg["augft"].update(augment=["local"], marks=str(tmp_path / "marks.jsonl"))
    first = "In other words, Mara Quell is the harbour master of Port Ennis."
    foreign = Mark("out", "ffffffff", "Another data set.")
    (tmp_path / "marks.jsonl").write_bytes(Mark("out", "f0f49799", first).as_line() + foreign.as_line())
    config = str(tmp_path / "cfg.yml")
    (tmp_path / "cfg.yml").write_text(yaml.safe_dump(cfg))
    assert "marks 2: nothing is answered yet that they could match" in call("plan", config)
    without = {**cfg, "augft": {k: v for k, v in cfg["augft"].items() if k != "marks"}}
    run(without)
    (tmp_path / "without.yml").write_text(yaml.safe_dump(without))
    planned = call("plan", config)
    assert "marks 2: 1 match a statement\n  1 of 2 marks are of documents about which nothing was written" in planned
    assert augmented_rows(planned) == augmented_rows(call("plan", str(tmp_path / "without.yml"))) - 1


HOW_IT_WILL_BE = (
    "Every answer is stored, but the result is not written, as after a change of marks, settings or version: "
)


def test_marks_after_marks_are_shown_before_the_run_applies_them(cfg, tmp_path):
    """The result of before is not shown as if the newly marked statements were still in it."""
    cfg["augft"]["augment"] = ["local"]
    config, marks = str(tmp_path / "cfg.yml"), str(tmp_path / "marks.jsonl")
    (tmp_path / "cfg.yml").write_text(yaml.safe_dump(cfg))
    call("run", config)
    call("mark", config, "--kind", "reversal", "--grep", "pumps", "--marks", marks, "--yes")
    cfg["augft"]["marks"] = marks
    (tmp_path / "cfg.yml").write_text(yaml.safe_dump(cfg))
    shown = call("report", config, "--summary")
    assert shown.startswith(HOW_IT_WILL_BE) and "by hand: 1 taken out" in shown
    call("run", config)
    assert call("report", config, "--summary").startswith("documents ")
    assert f"{marks}: 2 marks" in call("mark", config, "--kind", "rephrasing", "--grep", "pumps", "--yes")
    assert f"{marks}: 3 marks" in call("mark", config, "--kind", "reversal", "--grep", "built in 1901", "--yes")
    other = call("mark", config, "--grep", "Cats", "--marks", str(tmp_path / "other.jsonl"), "--yes")
    assert other.endswith(f"the recipe applies {marks}, not this file; name this one in `augft.marks` to apply it\n")
    shown = call("report", config, "--summary")
    assert shown.startswith(HOW_IT_WILL_BE) and "by hand: 3 taken out" in shown
    assert shown in call("report", config)


def augmented_rows(planned):
    return int(next(line.split()[1] for line in planned.splitlines() if line.startswith("    augmented")))


@pytest.mark.parametrize("splitting", ["independent", "cumulative"])
def test_a_sentence_of_a_split_statement_takes_all_of_it_out(cfg, tmp_path, splitting):
    cfg["augft"].update(augment=["global"], sentence_splitting=splitting)
    recipe = Recipe.from_cfg(cfg)
    manifest = run_stage(recipe)
    folder = result_folder(recipe, manifest.fingerprint)
    kept, _ = read_statements(folder, manifest.entries, recipe.datasets)
    marked = next(s for s in kept if s.kind == "trace" and s.text.startswith("Hence more follows."))
    (tmp_path / "marks.jsonl").write_bytes(Mark("out", marked.document, marked.text).as_line())
    cfg["augft"]["marks"] = str(tmp_path / "marks.jsonl")
    recipe = Recipe.from_cfg(cfg)
    marked_manifest = run_stage(recipe)
    assert marked_manifest.counts.rejected.get("marked") == 1
    assert marked_manifest.counts.accepted["global/trace"] == manifest.counts.accepted["global/trace"] - 1


def test_marks_that_cannot_be_read_end_the_run(cfg, teacher, tmp_path):
    cfg["augft"].update(augment=["local"], marks=str(tmp_path / "none.jsonl"))
    with pytest.raises(ConfigError, match=r"augft\.marks: .*none\.jsonl"):
        run(cfg)
    assert teacher.bodies == []
