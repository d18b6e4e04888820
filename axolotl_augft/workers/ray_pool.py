"""Items -> what tasks on a Ray cluster make of them, in the order of the items: a `ProcessPool` of many machines.

Ray starts the processes, spreads the tasks over the nodes, and runs a task again on another node if its own is lost.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar
from uuid import uuid4

from axolotl_augft.errors import AugftError, WorkerFailed
from axolotl_augft.files.code_digest import code_digest
from axolotl_augft.files.collector import fewer_collections
from axolotl_augft.workers.in_order import in_order

W = TypeVar("W")
Item = TypeVar("Item")
Made = TypeVar("Made")

_FOR_EACH_CPU = 4
"""Tasks in Ray's hands for each CPU of the cluster: one at work, and more, so that it never waits for the next."""
_RETRIES = 3
"""How often Ray runs a task again whose process or node was lost."""
_held: "tuple[str, Any]" = ("", None)
_lasting = ExitStack()


@dataclass(frozen=True)
class _Start:
    """What a process of the cluster needs before its first task.

    Attributes:
        pool: Identifies the pool.
        held: A list with the reference to the object that each process holds; a reference that is not in a list
            would have Ray unpack the object for every task.
        folder: The folder that relative paths are meant from.
        code: Digest of this package's code.
    """

    pool: str
    held: list[Any]
    folder: str
    code: str


class RayPool(Generic[W]):
    """Tasks on a Ray cluster, whose processes hold a copy of one object each, and use it.

    Args:
        ray: The module `ray`, connected to a cluster.
        held: What each of the processes holds.
        tasks: Number of tasks at work at a time; None or `auto` for one for each CPU of the cluster.
    """

    def __init__(self, ray: Any, held: W, tasks: int | Literal["auto"] | None) -> None:
        # Four tasks for each CPU keep it at work, and Ray runs no more of them than there are CPUs.
        cpus = int(ray.cluster_resources().get("CPU", 0))
        self._ray = ray
        self._at_once = tasks if isinstance(tasks, int) else _FOR_EACH_CPU * max(1, cpus)
        self._start = _Start(uuid4().hex, [ray.put(held)], os.getcwd(), code_digest())
        self._task = ray.remote(num_cpus=1, max_retries=_RETRIES, scheduling_strategy="SPREAD")(_make)

    def map(self, make: Callable[[W, Item], Made], items: Iterable[Item]) -> Iterator[Made]:
        """Yield what is made of each item, in their order; some items are taken ahead of need.

        Args:
            make: Makes it of the held object and an item; a function of a module, which each process imports.
            items: The items.

        Raises:
            WorkerFailed: A task was lost again and again, ran out of memory, or runs on a node without the recipe's
                files or with other code.
            AugftError: As `make` raises it.
        """

        def submit(item: Item) -> "Future[Made]":
            made: Future[Made] = self._task.remote(self._start, make, item).future()
            return made

        try:
            for future in in_order(submit, items, self._at_once - 1):
                yield future.result()
        except self._ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, AugftError):
                raise error.cause from error
            if isinstance(error.cause, MemoryError):
                raise _failed("needed more memory than there is") from error
            raise
        except self._ray.exceptions.RayError as error:
            raise _failed(f"was lost {_RETRIES + 1} times, as if it was killed ({type(error).__name__})") from error


def _failed(how: str) -> WorkerFailed:
    return WorkerFailed(
        f"a task on the Ray cluster {how}; every answer is stored, and nothing is asked again: free some memory or "
        "lower augft.workers, and run again"
    )


def _make(start: _Start, make: Callable[[Any, Any], Any], item: Any) -> Any:
    """Do a task in a process of the cluster, which may have been at work for another pool."""
    global _held
    if _held[0] != start.pool:
        _held = (start.pool, _begun(start))
    return make(_held[1], item)


def _begun(start: _Start) -> Any:
    import ray

    node = ray.util.get_node_ip_address()
    if start.code != code_digest():
        raise WorkerFailed(
            f"node {node} of the Ray cluster has another version of axolotl-augft, and would judge by other rules; "
            "install the same one on all nodes"
        )
    try:
        os.chdir(start.folder)
    except OSError as error:
        raise WorkerFailed(
            f"node {node} of the Ray cluster does not see {start.folder} ({error.strerror}); the folder of the run and "
            "the recipe's files must be at the same path on all nodes, as on a shared file system"
        ) from error
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    _lasting.enter_context(fewer_collections())
    return ray.get(start.held[0])
