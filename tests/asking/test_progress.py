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
    assert caplog.messages == ["augft: augmentation: 50 of 100 requests (0.5/s), 0 tokens/s, 2 min left"]
