"""Log lines and warnings while a command runs -> only this package's lines, and other packages' errors."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_OWN = "axolotl_augft"


@contextmanager
def only_own_lines() -> Iterator[None]:
    """Within this context, hide other packages' warnings and their log lines below errors.

    Torch, transformers and others set handlers and levels of their own when they are imported, which may happen later.
    So all logging is disabled up to warnings, and this package's logger is exempted: a logger asks its manager whether
    a level is disabled, and this one gets a manager that disables none.
    """
    own, off = logging.getLogger(_OWN), logging.root.manager.disable
    manager = own.manager
    own.manager = logging.Manager(logging.root)
    logging.disable(logging.WARNING)
    # `datasets` reads this when it is imported. Other packages' progress bars show downloads, which are worth seeing.
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        own.manager = manager
        logging.disable(off)
