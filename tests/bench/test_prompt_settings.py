"""`benchmarks/prompt_settings.py` as a user runs it, with the oracle as teacher."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from axolotl_augft.bench.datasets.dataset import load, save
from axolotl_augft.bench.datasets.making import make

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SCRIPT = BENCHMARKS / "prompt_settings.py"


@pytest.mark.slow
def test_the_oracle_is_right_and_states_what_a_part_of_a_data_set_asks(tmp_path):
    save(make("reversals", "tiny", 0), tmp_path / "reversals")
    save(make("syllogisms", "tiny", 0), tmp_path / "syllogisms")
    asked = ["all kinds at once", "global, 1,000 tokens"]
    script = [
        sys.executable,
        SCRIPT,
        tmp_path / "reversals",
        tmp_path / "syllogisms",
        "--model",
        "oracle",
        "--documents",
        "6",
    ]
    subprocess.run(
        [*script, "--only", *asked, "--work", tmp_path / "work", "--out", tmp_path / "rows.json"],
        check=True,
        timeout=300,
    )
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert [(r["data"], r["setting"]) for r in rows[::2]] == [
        (f"{d}-6", s) for s in asked for d in ("reversals", "syllogisms")
    ]
    assert [r["check"] for r in rows[:2]] == ["none", "names"]
    assert all(r["precision"] == 1 and r["statements"] > 6 for r in rows)
    # What two premises of one document imply is asked of a group, not of a sentence.
    assert {(r["data"], r["setting"]): r["coverage"] for r in rows} == {
        ("reversals-6", asked[0]): 1,
        ("syllogisms-6", asked[0]): 0,
        ("reversals-6", asked[1]): 1,
        ("syllogisms-6", asked[1]): 1,
    }
    part, whole = load(tmp_path / "work" / "reversals-6"), load(tmp_path / "reversals")
    assert part.documents == tuple(whole.documents[i * len(whole.documents) // 6] for i in range(6))
    assert {q.id for q in part.questions} < {q.id for q in whole.questions}


def table(*files):
    return subprocess.run(
        [sys.executable, BENCHMARKS / "prompt_table.py", *files], capture_output=True, text=True, timeout=60
    )


def test_rows_become_lines_of_csv(tmp_path):
    row = {"teacher": "m", "data": "d", "setting": "s, t", "documents": 1200, "wrong": 0.25, "unread": 0.0}
    row["coverage"] = 2 / 3
    rows = [
        row | {"check": "none", "statements": 1000, "precision": 0.75},
        row | {"check": "names", "statements": 0, "precision": None},
    ]
    (tmp_path / "a.json").write_text(json.dumps([r | {"data": "e"} for r in rows]))
    (tmp_path / "b.json").write_text(json.dumps(rows))
    assert table(tmp_path / "a.json", tmp_path / "b.json").stdout.splitlines()[:4] == [
        "data,documents,teacher,setting,check,statements,precision,wrong,not_understood,coverage",
        'd,1200,m,"s, t",none,1000,0.750,0.250,0.000,0.667',
        'd,1200,m,"s, t",names,0,,0.250,0.000,0.667',
        'e,1200,m,"s, t",none,1000,0.750,0.250,0.000,0.667',
    ]
    assert table(tmp_path / "a.json", "--check", "names", "--out", tmp_path / "c.csv").returncode == 0
    assert (tmp_path / "c.csv").read_text().splitlines()[1:] == ['e,1200,m,"s, t",names,0,,0.250,0.000,0.667']
    assert "given twice" in table(tmp_path / "a.json", tmp_path / "a.json").stderr


@pytest.mark.parametrize("content", ["no JSON", "[]", "{}", '[{"teacher": "m"}]'])
def test_a_file_without_rows_is_told_in_one_line(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    told = table(tmp_path / "a.json")
    assert told.returncode == 2
    assert told.stderr.splitlines()[-1].endswith(
        "a.json: no rows of prompt_settings.py; give a file that it wrote with --out"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--model", "oracle", "--documents", "0"], "--documents 0: give a number of documents from 1 on"),
        (["--model", "nowhere"], "--model nowhere: no folder of a model"),
        (["--model", "oracle"], "reversals"),
    ],
)
def test_wrong_input_of_prompt_settings_is_told_in_one_line(tmp_path, given, told):
    run = subprocess.run(
        [sys.executable, SCRIPT, tmp_path / "reversals", *given], capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 2
    assert told in run.stderr.splitlines()[-1]
    assert "Traceback" not in run.stderr
