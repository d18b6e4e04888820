"""File locks between processes, whose waiting is said once and ends in one line."""

import logging
from contextlib import AbstractContextManager
from pathlib import Path

from filelock import FileLock, Timeout

from axolotl_augft.errors import WaitingFailed
from axolotl_augft.files.durable import cannot_write

LOG = logging.getLogger("axolotl_augft")


def wait_for(lock: FileLock, timeout: float, who: str, own: str) -> AbstractContextManager[object]:
    """Takes a lock, once nobody else has it.

    Args:
        lock: The lock.
        timeout: Seconds to wait.
        who: The process that may have it, for the log and the error.
        own: The key of `augft:` that gives a recipe a lock of its own.

    Raises:
        OutputError: The lock's folder cannot be made or written.
        WaitingFailed: Another process has it for longer than `timeout` seconds.
    """
    if (taken := acquired(lock, 0, own)) is not None:
        return taken
    LOG.info("augft: %s is at work; waiting for it to end", who)
    if (taken := acquired(lock, timeout, own)) is not None:
        return taken
    raise WaitingFailed(
        f"{who} has held its lock for {timeout:g} s (augft.wait_timeout); let it finish, or give this recipe its own "
        f"{own}"
    )


def acquired(lock: FileLock, timeout: float, own: str) -> AbstractContextManager[object] | None:
    """Takes a lock within so many seconds, or gives None where another process has it.

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
        raise cannot_write(file.parent, error, own) from error
