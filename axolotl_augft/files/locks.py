"""A file lock -> the held lock, after a wait that is logged once and fails with a one-line error."""

import logging
from contextlib import AbstractContextManager
from pathlib import Path

from filelock import FileLock, Timeout

from axolotl_augft.errors import WaitingFailed
from axolotl_augft.files.durable import write_error

LOG = logging.getLogger("axolotl_augft")


def wait_for(lock: FileLock, timeout: float, who: str, own: str) -> AbstractContextManager[object]:
    """Acquire a lock, waiting for the process that holds it.

    Args:
        lock: The lock.
        timeout: Seconds to wait.
        who: The process that may hold the lock, for the log and the error.
        own: The key of the `augft:` block that would give the recipe a lock of its own.

    Raises:
        OutputError: The lock's folder cannot be made or written.
        WaitingFailed: Another process still holds the lock after `timeout` seconds.
    """
    if (taken := try_acquire(lock, 0, own)) is not None:
        return taken
    LOG.info("augft: %s is at work; waiting for it to end", who)
    if (taken := try_acquire(lock, timeout, own)) is not None:
        return taken
    raise WaitingFailed(
        f"{who} has held its lock for {timeout:g} s (augft.wait_timeout); let it finish, or give this recipe its own "
        f"{own}"
    )


def try_acquire(lock: FileLock, timeout: float, own: str) -> AbstractContextManager[object] | None:
    """Acquire a lock within `timeout` seconds; return None if another process still holds it.

    Args:
        lock: The lock.
        timeout: Seconds to wait; 0 tries once.
        own: As in `wait_for`.

    Raises:
        OutputError: The lock's folder cannot be made or written.
    """
    file = Path(lock.lock_file)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return lock.acquire(timeout=timeout)
    except Timeout:
        return None
    except OSError as error:
        raise write_error(file.parent, error, own) from error
