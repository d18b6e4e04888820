"""Marks at work: the next run applies them without a teacher, and notices an edited file."""

import json

import pyarrow.parquet as pq
import pytest

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import ConfigError
from axolotl_augft.marks import Mark
from axolotl_augft.output.manifest import result_folder
from axolotl_augft.output.reuse import find_result
from axolotl_augft.report.reviewed import read_statements
from axolotl_augft.stage import run_stage
from tests.support.teacher_server import scripted_answer


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
    recipe, after, reasons, _ = run(cfg)
    assert len(teacher.bodies) == asked
    assert kept[0] not in after and rejected[0]["text"] in after
    assert [r["reason"] for r in reasons if r["text"] == kept[0]][0] == "marked"
    assert find_result(recipe) is not None
    marks.write_text(f"{json.dumps(out)}\n")
    assert find_result(recipe) is None
    assert rejected[0]["text"] not in run(cfg)[1]


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
