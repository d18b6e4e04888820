"""Ray clusters on which the teacher cannot be served: a real one is joined, and the reason is one line."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.ray_nodes import ray_nodes

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.slow

ON_ANOTHER_NODE = """
import functools, sys
import ray
sys.path[:0] = [{root!r}]
from axolotl_augft.teacher.serving import ray_serve
# All nodes of this cluster are on one machine, where Ray would take part at the head node.
ray.init = functools.partial(ray.init, _node_ip_address={address!r})
try:
    with ray_serve._cluster():
        print("said: joined")
except ray_serve.Refused as refusal:
    print("said:", refusal)
"""
BESIDE_ANOTHER = """
import sys
sys.path[:0] = [{root!r}]
from ray import serve
from axolotl_augft.teacher.serving import ray_serve
other = serve.RunTarget(serve.deployment(type("Other", (), {{}})).bind(), name="chat")
with ray_serve._cluster():
    serve.start(proxy_location="Disabled")
    serve.run_many([other], wait_for_ingress_deployment_creation=False, wait_for_applications_running=False)
    try:
        with ray_serve._served(serve, 0):
            print("said: served")
    except ray_serve.Refused as refusal:
        print("said:", refusal)
    print("said:", *serve.status().applications)
"""


def said_by(code: str, **values: str) -> list[str]:
    """Run code in a process of its own, since a process takes part in one cluster; return its lines without Ray's."""
    command = [sys.executable, "-c", code.format(root=str(ROOT), **values)]
    lines = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=600).stdout.splitlines()
    return [line.removeprefix("said: ") for line in lines if line.startswith("said: ")]


def test_the_stage_on_another_node_than_the_head_is_refused(monkeypatch):
    with ray_nodes(1) as cluster:
        cluster.add_node(num_cpus=1, object_store_memory=80_000_000, node_ip_address="127.0.0.2")
        monkeypatch.setenv("RAY_ADDRESS", cluster.address)
        assert said_by(ON_ANOTHER_NODE, address="127.0.0.2") == [
            "the address of Ray Serve is on the head node of the Ray cluster; run there, or as a Ray job"
        ]


# Only ray[serve] brings this package; it does not fit beside axolotl 0.19.
@pytest.mark.skipif(
    importlib.util.find_spec("grpc_reflection") is None,
    reason="no Ray Serve here; install 'ray[serve]' (with axolotl 0.21 and Python 3.12) to run this test",
)
def test_a_cluster_that_serves_something_already_is_refused_and_left_as_it_is(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert said_by(BESIDE_ANOTHER) == [
        "the Ray cluster runs Ray Serve already (chat), and has one only; name its address in "
        "augft.teacher.base_url, end it with `serve shutdown`, or use another cluster",
        "chat",
    ]
