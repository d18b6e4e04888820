"""The line that a log gets of a long round."""

import logging

from axolotl_augft.asking.progress import Progress
from axolotl_augft.asking.round import RoundCounts
from tests.support.asking import Clock


def test_a_line_of_progress_names_the_program(caplog):
    clock = Clock()
    with caplog.at_level(logging.INFO, "axolotl_augft"), Progress(100, "augmentation", clock) as progress:
        clock.now = 100.0
        progress.update(RoundCounts(answered=50))
        assert progress.last_line(RoundCounts(answered=100)).endswith("(1.0/s), 0 tokens/s, 0 s left")
    assert caplog.messages == ["augft: augmentation: 50 of 100 requests (0.5/s), 0 tokens/s, 2 min left"]


def test_a_note_is_made_anew_every_ten_seconds(caplog):
    clock, notes = Clock(), iter(["one", "two", "last"])
    with caplog.at_level(logging.INFO, "axolotl_augft"):
        with Progress(9, "augmentation", clock, lambda: next(notes)) as progress:
            for clock.now in (11.0, 15.0, 31.0, 35.0):
                progress.update(RoundCounts(answered=1))
            last = progress.last_line(RoundCounts(answered=9))
    assert [m.rsplit(", ", 1)[-1] for m in (*caplog.messages, last)] == ["two", "last"]
