"""The response store of this machine -> the answers in it, for processes on other machines.

SQLite's write-ahead log works on one machine only, also where the file is on a file system that machines share. So one
process beside the run reads the file, and the tasks on the other machines ask that process.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from axolotl_augft.store.groupings import Pass
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.teacher.answer import Answer
from axolotl_augft.teacher.request import Request


class LentStore:
    """Reads a store through the process that has it open; can be sent to other processes.

    Args:
        ray: The module `ray`, connected to a cluster.
        path: The store's file, on this machine.
    """

    def __init__(self, ray: Any, path: Path) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        lender = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=3, scheduling_strategy=here)(_Lender)
        self._lender = lender.remote(path.absolute())

    def get(self, requests: Sequence[Request]) -> list[Answer | None]:
        """Return the stored answer of each request, in order; None if there is none."""
        found: list[Answer | None] = self._ask("get", requests)
        return found

    def load_grouping(self, key: str) -> list[Pass]:
        """Return the passes saved under `key`, an empty list if there are none."""
        found: list[Pass] = self._ask("load_grouping", key)
        return found

    def save_grouping(self, key: str, passes: list[Pass]) -> None:
        """Save passes under `key`, replacing earlier ones."""
        self._ask("save_grouping", key, passes)

    def _ask(self, method: str, *arguments: object) -> Any:
        import ray

        try:
            return ray.get(self._lender.ask.remote(method, *arguments))
        except ray.exceptions.RayTaskError as error:
            raise error.cause from error


class _Lender:
    """Has the store open, until its process ends."""

    def __init__(self, path: Path) -> None:
        self._lasting = ExitStack()
        self._store = self._lasting.enter_context(ResponseStore.opened(path))

    def ask(self, method: str, *arguments: object) -> Any:
        return getattr(self._store, method)(*arguments)
