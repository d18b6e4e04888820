"""Who may ask a teacher for answers that go into a store: one run at a time."""

import hashlib
from pathlib import Path

from filelock import FileLock

from axolotl_augft.files.locks import acquired, wait_for


class AskingAlone:
    """The right to ask a teacher for answers that go into a store: two runs at once would ask, and pay, for the same ones.

    Use it as a context manager, which gives the right back at the end if it was taken.

    Args:
        store: The response store.
        teacher_id: Who is asked.
        timeout: Seconds to wait for another run.
    """

    def __init__(self, store: Path, teacher_id: str, timeout: float) -> None:
        self._lock = FileLock(
            store.with_name(f"{store.name}.{hashlib.sha256(teacher_id.encode()).hexdigest()[:8]}.lock")
        )
        self._timeout = timeout
        self._who = f"{store}: another run that asks {teacher_id}"

    def __enter__(self) -> "AskingAlone":
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def try_to_take(self) -> bool:
        """Takes the right if no other run has it; whether it is ours now.

        Raises:
            OutputError: The store's folder cannot be written.
        """
        return self._lock.is_locked or acquired(self._lock, 0, "store") is not None

    def wait(self) -> None:
        """Takes the right, once no other run has it.

        Raises:
            OutputError: The store's folder cannot be written.
            WaitingFailed: Another run has it for longer than `timeout` seconds.
        """
        if not self._lock.is_locked:
            wait_for(self._lock, self._timeout, self._who, "store")
