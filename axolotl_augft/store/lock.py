"""A store and a teacher -> the lock that lets one run at a time send requests."""

import hashlib
from pathlib import Path

from filelock import FileLock

from axolotl_augft.files.locks import try_acquire, wait_for


class AskingLock:
    """Lock that a run holds while it asks one teacher for answers to put into one store.

    Without it, two runs at once would ask, and pay, for the same answers. Use it as a context manager, which releases
    the lock if it is held.

    Args:
        store: The file of the response store.
        teacher_id: The teacher's id.
        timeout: Seconds to wait for another run.
    """

    def __init__(self, store: Path, teacher_id: str, timeout: float) -> None:
        self._lock = FileLock(
            store.with_name(f"{store.name}.{hashlib.sha256(teacher_id.encode()).hexdigest()[:8]}.lock"), mode=0o600
        )
        self._timeout = timeout
        self._who = f"{store}: another run that asks {teacher_id}"

    def __enter__(self) -> "AskingLock":
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def try_acquire(self) -> bool:
        """Take the lock unless another run holds it; return True if it is now held.

        Raises:
            OutputError: The store's folder cannot be written.
        """
        return self._lock.is_locked or try_acquire(self._lock, 0, "store") is not None

    def wait(self) -> None:
        """Take the lock, waiting while another run holds it.

        Raises:
            OutputError: The store's folder cannot be written.
            WaitingFailed: Another run still holds it after `timeout` seconds.
        """
        if not self._lock.is_locked:
            wait_for(self._lock, self._timeout, self._who, "store")
