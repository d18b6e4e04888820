"""Items -> what worker processes of this machine make of them, in the order of the items.

The processes are started anew, not forked: this process has threads and open connections, which a fork would share.
"""

import pickle
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from typing import Any, Generic, Literal, TypeVar

import cloudpickle
from loky import ProcessPoolExecutor, cpu_count

from axolotl_augft.errors import WorkerFailed
from axolotl_augft.files.collector import fewer_collections
from axolotl_augft.workers.in_order import in_order

W = TypeVar("W")
Item = TypeVar("Item")
Made = TypeVar("Made")

_AHEAD = 3
"""Items in the hands of each process: one at work, and more, so that it never waits for the next."""
_IDLE_SECONDS = 60
"""An idle process ends after this time, also if the process that started it was killed; it starts again when needed."""
_ENVIRONMENT = {"TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1"}
"""Each process has one core."""
_held: Any = None
_lasting = ExitStack()


class ProcessPool(Generic[W]):
    """Processes that hold a copy of one object each, and use it.

    Args:
        held: What each of them holds.
        processes: Number of processes.
    """

    def __init__(self, held: W, processes: int) -> None:
        self._processes = processes
        self._executor = ProcessPoolExecutor(
            processes,
            timeout=_IDLE_SECONDS,
            initializer=_begin,
            initargs=(cloudpickle.dumps(held),),
            env=_ENVIRONMENT,
        )

    def map(self, make: Callable[[W, Item], Made], items: Iterable[Item]) -> Iterator[Made]:
        """Yield what is made of each item, in their order; some items are taken ahead of need.

        Args:
            make: Makes it of the held object and an item; a function of a module, which each process imports.
            items: The items.

        Raises:
            WorkerFailed: A process ended, or ran out of memory.
            AugftError: As `make` raises it.
        """

        def submit(item: Item) -> "Future[bytes]":
            made: Future[bytes] = self._executor.submit(_make, make, pickle.dumps(item))
            return made

        try:
            for future in in_order(submit, items, _AHEAD * self._processes):
                yield pickle.loads(future.result())
        except BrokenProcessPool as error:
            raise self._failed("ended unexpectedly, as if it was killed") from error
        except MemoryError as error:
            raise self._failed("needed more memory than there is") from error

    def close(self) -> None:
        """End the processes."""
        self._executor.shutdown(wait=True, kill_workers=True)

    def _failed(self, how: str) -> WorkerFailed:
        return WorkerFailed(
            f"one of {self._processes} worker processes {how}; every answer is stored, and nothing is asked again: "
            "free some memory or lower augft.workers, and run again"
        )


def number_of_processes(asked: int | Literal["auto"] | None) -> int:
    """Return the number of processes that `augft.workers` asks for: with `auto`, one for each core we may use."""
    # Of a container that may use two of 64 cores, two.
    return int(cpu_count()) if asked == "auto" else asked or 1


def _begin(held: bytes) -> None:
    """Begin a worker process: a Ctrl-C is for the process that started it, which then ends this one."""
    global _held
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _held = pickle.loads(held)
    _lasting.enter_context(fewer_collections())


def _make(make: Callable[[Any, Any], Any], item: bytes) -> bytes:
    return pickle.dumps(make(_held, pickle.loads(item)), protocol=pickle.HIGHEST_PROTOCOL)
