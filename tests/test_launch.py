import threading
import time

import pytest

from axolotl_augft.errors import ConfigError, OutputError, WaitingFailed
from axolotl_augft.launch import Launch, LaunchOutcome, locked, run_once

ENV = {"MASTER_ADDR": "node0", "MASTER_PORT": "29500", "TORCHELASTIC_RUN_ID": "none"}
NAME = "node0|29500|none|"


def as_rank(monkeypatch, rank):
    for name, value in {**ENV, "RANK": str(rank)}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        (LaunchOutcome(NAME, "here", 1000.5, "done", "k"), True),
        (LaunchOutcome(NAME, "here", 999.5, "failed", "k"), False),  # an earlier launch at the same address
        (LaunchOutcome(NAME, "there", 970.0, "done", "k"), True),  # another machine's clock is behind
        (LaunchOutcome(NAME, "there", 900.0, "done", "k"), False),
        (LaunchOutcome("node0|29501|none|", "here", 1001.0, "done", "k"), False),
        (LaunchOutcome(NAME, "here", 1001.0, "done", "other recipe"), False),
    ],
)
def test_an_outcome_counts_for_its_own_launch_only(told, counts):
    assert told.is_for(Launch(1, NAME, "here", 1000.0), "k") is counts


def test_rank_0_runs_and_the_others_get_its_result(monkeypatch, tmp_path):
    made = []

    def run():
        time.sleep(0.3)
        made.append("result")
        return "result"

    results = []
    as_rank(monkeypatch, 1)
    waiting = threading.Thread(
        target=lambda: results.append(run_once(tmp_path, "k", 20, lambda: made[0] if made else None, lambda: 1 / 0))
    )
    waiting.start()
    time.sleep(0.1)
    as_rank(monkeypatch, 0)
    assert run_once(tmp_path, "k", 20, lambda: None, run) == "result"
    waiting.join(10)
    assert results == ["result"] and made == ["result"]


def test_a_failed_leader_fails_the_others_with_its_error(monkeypatch, tmp_path):
    as_rank(monkeypatch, 0)

    def fail():
        raise ConfigError("the variable X is not set")

    with pytest.raises(ConfigError):
        run_once(tmp_path, "k", 5, lambda: None, fail)
    as_rank(monkeypatch, 1)
    start = time.monotonic()
    with pytest.raises(WaitingFailed, match="rank 0 failed: the variable X is not set"):
        run_once(tmp_path, "k", 60, lambda: None, fail)
    assert time.monotonic() - start < 5


def test_an_unexpected_failure_is_told_without_its_text(monkeypatch, tmp_path):
    as_rank(monkeypatch, 0)
    with pytest.raises(ZeroDivisionError):
        run_once(tmp_path, "k", 5, lambda: None, lambda: 1 / 0)
    as_rank(monkeypatch, 1)
    with pytest.raises(WaitingFailed, match="rank 0 failed: ZeroDivisionError"):
        run_once(tmp_path, "k", 5, lambda: None, lambda: 0)


def test_waiting_ends_with_a_hint_at_the_shared_folder(monkeypatch, tmp_path):
    as_rank(monkeypatch, 4)
    with pytest.raises(
        WaitingFailed, match="must be shared by all nodes, or prepared on each with `axolotl preprocess`"
    ):
        run_once(tmp_path, "k", 0.2, lambda: None, lambda: 0)


def test_a_prepared_node_needs_no_outcome(monkeypatch, tmp_path):
    as_rank(monkeypatch, 4)
    assert run_once(tmp_path, "k", 0.2, lambda: "prepared", lambda: 0) == "prepared"


def test_a_second_launch_waits_for_the_lock_then_reuses(monkeypatch, tmp_path):
    monkeypatch.delenv("RANK", raising=False)
    made = []
    second = []
    with locked(tmp_path, 5):
        thread = threading.Thread(
            target=lambda: second.append(
                run_once(tmp_path, "k", 20, lambda: made[-1] if made else None, lambda: "mine")
            )
        )
        thread.start()
        time.sleep(0.3)
        assert second == []
        made.append("theirs")
    thread.join(10)
    assert second == ["theirs"]


def test_a_lock_held_too_long_is_said(tmp_path):
    with locked(tmp_path, 5), pytest.raises(WaitingFailed, match="held its lock for 0.1 s"):
        locked(tmp_path, 0.1)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        locked(tmp_path / "file" / "folder", 1)
