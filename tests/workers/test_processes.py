"""Worker processes: what they make of items, and how they end."""

import os

import pytest

from axolotl_augft.errors import StoreError, WorkerFailed
from axolotl_augft.workers.in_order import in_order
from axolotl_augft.workers.processes import ProcessPool, number_of_processes
from tests.support import worker_calls


@pytest.fixture
def pool():
    pool = ProcessPool(7, 2)
    yield pool
    pool.close()


def test_what_is_made_comes_in_the_order_of_the_items_by_other_processes(pool):
    assert list(pool.map(worker_calls.multiplied, range(20))) == [7 * i for i in range(20)]
    assert os.getpid() not in set(pool.map(worker_calls.in_process, range(8)))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (worker_calls.killed, WorkerFailed, "one of 2 worker processes ended unexpectedly, as if it was killed; "),
        (
            worker_calls.without_memory,
            WorkerFailed,
            "one of 2 worker processes needed more memory than there is; ",
        ),
        (worker_calls.refused, StoreError, "response store s: damaged"),
    ],
)
def test_a_failing_worker_is_one_line(pool, call, error, words):
    with pytest.raises(error) as raised:
        list(pool.map(call, range(20)))
    assert str(raised.value).startswith(words) and "\n" not in str(raised.value)


def test_auto_is_one_process_for_each_core_that_may_be_used(monkeypatch):
    assert 1 <= number_of_processes("auto") <= len(os.sched_getaffinity(0))
    # Stands for the limit of a container, which a test cannot set.
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    assert number_of_processes("auto") == 1
    assert number_of_processes(3) == 3


def test_items_are_taken_ahead_of_need():
    taken: list[int] = []

    def submit(item: int) -> int:
        taken.append(item)
        return item

    futures = in_order(submit, range(6), 3)
    assert next(futures) == 0 and taken == [0, 1, 2, 3]
    assert next(futures) == 1 and taken == [0, 1, 2, 3, 4]
    assert list(futures) == [2, 3, 4, 5]
