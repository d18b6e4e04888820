"""Python's garbage collector, kept from going through all that axolotl has imported while millions of small objects come and go."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_THRESHOLDS = (20_000, 10, 10)


@contextmanager
def few_collections() -> Iterator[None]:
    """Leaves what is there already out of collections, and collects the rest less often; all as before at the end.

    What the stage makes is freed by reference counts; the collector finds next to nothing, and took a tenth of the
    time.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
