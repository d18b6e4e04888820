"""Runs that ended early: `report`, `show` and `mark` show the answers so far, and ask nobody."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from axolotl_augft.cli.main import augft
from tests.report.test_page_data import read_blocks
from tests.support.teacher_server import is_verification, prompt_of, scripted_answer


@pytest.fixture
def stopped(cfg, tmp_path, teacher):
    """A recipe whose run ended after some requests; call it with their number and settings."""
    cfg["val_set_size"] = 1

    def run(max_requests: int | None, **settings) -> str:
        cfg["augft"].update(augment=["local"], max_requests=max_requests, **settings)
        path = tmp_path / "cfg.yml"
        path.write_text(yaml.safe_dump(cfg))
        assert CliRunner().invoke(augft, ["run", str(path)]).exit_code == 1
        teacher.bodies.clear()
        return str(path)

    yield run
    assert teacher.bodies == []
    assert not list((tmp_path / "prepared" / "augft").glob(".unfinished-*"))


def call(*args, code=0):
    result = CliRunner().invoke(augft, list(args))
    assert result.exit_code == code, result.output
    return result.output


LOOKING = """
import sys, time
sys.path[:0] = [{root!r}]
from axolotl_augft.cli.recipe_files import read_recipe
from axolotl_augft.cli.unfinished import result_so_far
with result_so_far(read_recipe({config!r})):
    print("looking", flush=True)
    time.sleep(60)
"""


def test_a_process_that_is_terminated_leaves_nothing_behind(stopped):
    code = LOOKING.format(root=str(Path(__file__).parents[2]), config=stopped(3))
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert b"looking\n" in process.stdout
    process.terminate()
    assert process.wait(60) == 128 + signal.SIGTERM


def test_what_a_process_that_was_ended_left_behind_is_removed(stopped, tmp_path):
    config = stopped(3)
    old = tmp_path / "prepared" / "augft" / ".unfinished-old"
    young = old.with_name(".unfinished-young")
    old.mkdir()
    young.mkdir()
    os.utime(old, (0, 0))
    call("report", config, "--summary")
    assert not old.exists()
    # It may be another process's.
    young.rmdir()


def test_the_answers_so_far_are_shown(stopped, tmp_path):
    config = stopped(3)
    said = call("report", config, "--out", str(tmp_path / "p.html")).splitlines()
    state = "This run has not finished: 3 of 8 requests for statements are answered. `axolotl augft run` goes on."
    assert said[0] == state
    assert "requests 8: 3 answered before, 0 asked now" in said
    assert "statements accepted 6 (local/rephrasing 3, local/reversal 3)" in said
    blocks = read_blocks((tmp_path / "p.html").read_text())
    (run,) = blocks["head"][0]["runs"]
    assert run["unfinished"] == state and run["figures"]["kept"] == 6
    assert (run["figures"]["covered"], run["figures"]["sentences"]) == (3, 8)
    assert "sentences covered 3 of 8 (rephrasing 3, reversal 3)" in said
    assert len(blocks["sources"][0]) == 5 and len(blocks["answers-0"][0]) == 3
    shown = call("show", config)
    assert shown.startswith(state) and "+ reversal: Seen from its end, " in shown
    marks = str(tmp_path / "marks.jsonl")
    assert "3 marks" in call("mark", config, "--kind", "reversal", "--marks", marks, "--yes")
    assert call("report", config, "--summary").splitlines() == said[:-1]


def test_the_verification_counts_once_it_has_come_to_all_statements(stopped, teacher, tmp_path):
    teacher.answer = lambda body: "no" if is_verification(prompt_of(body)) else scripted_answer(body)
    page = tmp_path / "p.html"
    some = call("report", stopped(12, verify={"alone": False, "ask_again": False}), "--out", str(page))
    assert (
        "8 of 8 requests for statements are answered; verification: 4 of 32 asked, and it rejects nothing yet" in some
    )
    assert "requests 40: 12 answered before, 0 asked now" in some
    assert read_blocks(page.read_text())["head"][0]["runs"][0]["usage"]["answers"] == 12
    assert "statements rejected 0" in some and "verified by" not in some
    assert "statements accepted 16" in some
    end = call("report", stopped(None), "--summary")
    assert "8 of 8 requests for statements are answered, and no statement was accepted." in end
    assert "statements accepted 0" in end and "statements rejected 16 (unsupported 16)" in end
    assert "verified by scripted (logprobs)" in end


def test_before_the_verification_began_there_are_no_probabilities(stopped, tmp_path):
    config = stopped(4, verify="teacher")
    said = call("report", config)
    assert "4 of 8 requests for statements are answered; verification: 0 of 1 asked, and it rejects nothing yet" in said
    (head,) = read_blocks((tmp_path / "prepared" / "augft" / "report.html").read_text())["head"]
    assert "The verification has not finished: 0 of 1 asked." in [w["text"] for w in head["runs"][0]["warnings"]]
    assert "(P " not in call("show", config)
    assert "8 requests: 4 answered already, 4 to ask" in call("plan", config)


def test_probabilities_so_far_stand_beside_statements(stopped):
    shown = call("show", stopped(12, verify={"alone": False}), "--limit", "9")
    assert len(re.findall(r"\(P 0\.90\)", shown)) > 0 and ": reversal" not in shown


def test_a_run_that_accepted_nothing_shows_why(stopped, teacher, tmp_path):
    teacher.answer = lambda _: "I cannot help with that."
    said = call("report", config := stopped(None))
    assert (
        "8 of 8 requests for statements are answered, and no statement was accepted." in said
        and "statements rejected 8" in said
    )
    assert "statements accepted 0" in said
    assert "I cannot help with that." in call("show", config)


def test_answers_of_other_settings_are_not_taken_for_this_run(stopped, cfg, tmp_path):
    stopped(3)
    cfg["seed"] = 7
    (tmp_path / "other.yml").write_text(yaml.safe_dump(cfg))
    said = call("report", str(tmp_path / "other.yml"), code=1)
    assert "no finished result for this recipe" in said and "answers in the response store are used again" in said
