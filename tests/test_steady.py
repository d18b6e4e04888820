import itertools

import pytest

from axolotl_augft.steady import duration, steadily


@pytest.mark.parametrize(
    ("total", "note", "of", "rest"),
    [(100, None, " of 100", ", 16 min left"), (None, lambda: "50 % kept", "", ", 50 % kept")],
)
def test_long_work_logs_a_line_every_half_minute(caplog, total, note, of, rest):
    clock = itertools.count(0, 10).__next__
    with caplog.at_level("INFO", logger="axolotl_augft"):
        assert list(steadily(range(7), "work", "files", total, note, clock)) == list(range(7))
    assert caplog.messages == [f"augft: work: {n}{of} files (0.1/s){rest}" for n in (3, 6)]


def test_short_work_logs_nothing(caplog):
    with caplog.at_level("INFO", logger="axolotl_augft"):
        assert list(steadily(range(7), "work", "files")) == list(range(7))
    assert caplog.messages == []


@pytest.mark.parametrize(("seconds", "text"), [(40, "40 s"), (700, "12 min"), (11100, "3 h 5 min")])
def test_durations_are_short(seconds, text):
    assert duration(seconds) == text
