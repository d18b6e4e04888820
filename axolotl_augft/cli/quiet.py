"""What other packages log and warn about while a command runs: nothing below an error is shown."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_OWN = "axolotl_augft"


@contextmanager
def only_own_lines() -> Iterator[None]:
    """While it lasts, this package's log lines are shown, and of those of others only errors.

    Torch, transformers and others have handlers and levels of their own, set when they are imported, which may be
    later. So logging as a whole is off up to warnings, and our logger is exempt: whether a level is off is a question
    that a logger asks its manager, and ours gets one where nothing is off.
    """
    own, off = logging.getLogger(_OWN), logging.root.manager.disable
    manager = own.manager
    own.manager = logging.Manager(logging.root)
    logging.disable(logging.WARNING)
    # Read when `datasets` is imported. Other packages' bars show downloads, which are worth seeing.
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        own.manager = manager
        logging.disable(off)
