"""Tasks on a real Ray cluster of two nodes: what they make of items, and what is lost with a process or a node."""

import pytest

from axolotl_augft.errors import StoreError, WorkerFailed
from axolotl_augft.workers.ray_cluster import ray_cluster
from axolotl_augft.workers.ray_pool import RayPool
from tests.support import worker_calls
from tests.support.ray_nodes import losing_a_node

pytestmark = pytest.mark.slow


@pytest.fixture
def ray(cluster, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    with ray_cluster() as ray:
        yield ray


def test_what_is_made_comes_in_the_order_of_the_items(ray):
    assert list(RayPool(ray, 7, None).map(worker_calls.multiplied, range(20))) == [7 * i for i in range(20)]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (worker_calls.killed, WorkerFailed, "a task on the Ray cluster was lost 4 times, as if it was killed (Worker"),
        (worker_calls.without_memory, WorkerFailed, "a task on the Ray cluster needed more memory than there is; "),
        (worker_calls.refused, StoreError, "response store s: damaged"),
    ],
)
def test_a_failing_task_is_one_line(ray, call, error, words):
    with pytest.raises(error) as raised:
        list(RayPool(ray, 7, 1).map(call, range(2, 5)))
    assert str(raised.value).startswith(words) and "\n" not in str(raised.value)


def test_a_task_whose_process_is_killed_is_run_again(ray, tmp_path):
    assert list(RayPool(ray, str(tmp_path), 1).map(worker_calls.killed_once, range(5))) == [0, 1, 2, 3, 4]


def test_a_node_that_does_not_see_the_folder_of_the_run_is_named(ray, tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    pool = RayPool(ray, 7, 1)
    monkeypatch.chdir(tmp_path)
    gone.rmdir()
    with pytest.raises(WorkerFailed, match=rf"^node \S+ of the Ray cluster does not see {gone} \(No such file"):
        list(pool.map(worker_calls.multiplied, range(3)))


def test_nothing_is_lost_with_a_node(ray, cluster, tmp_path):
    with losing_a_node(cluster, tmp_path):
        made = RayPool(ray, str(tmp_path), None).map(worker_calls.ended_at_home, range(20))
        assert list(made) == list(range(20))
