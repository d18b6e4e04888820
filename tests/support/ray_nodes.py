"""A real Ray cluster of several nodes on this machine, each with processes of its own."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

NODE = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}


@contextmanager
def ray_nodes(number: int) -> Iterator:
    """Start a cluster of nodes with one CPU each; the first one is the head node."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args=NODE)
    try:
        for _ in range(number - 1):
            cluster.add_node(num_cpus=1, object_store_memory=80_000_000)
        yield cluster
    finally:
        cluster.shutdown()


@contextmanager
def losing_a_node(cluster, folder: Path) -> Iterator[None]:
    """Remove the second node once a task is at work there, which tells so in the folder and never ends."""
    folder.mkdir(exist_ok=True)
    (folder / "home").write_text(cluster.head_node.node_id)
    (other,) = cluster.worker_nodes

    def remove():
        while not (folder / "at-work").exists():
            threading.Event().wait(0.1)
        cluster.remove_node(other, allow_graceful=False)

    removing = threading.Thread(target=remove, daemon=True)
    removing.start()
    yield
    removing.join(60)
    assert not cluster.worker_nodes
