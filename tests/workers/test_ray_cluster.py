"""Whether Ray is there, and the one that works."""

import os
import socket
import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import psutil
import pytest
from packaging.requirements import Requirement

from axolotl_augft.errors import ConfigError
from axolotl_augft.workers import ray_cluster
from axolotl_augft.workers.ray_pool import RayPool
from tests.support import worker_calls

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
REMEDY = "install it with `pip install 'axolotl-augft[ray]'`, which takes ray<3,>=2.60"


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (None, f"the recipe wants Ray, which is not installed; {REMEDY}"),
        ("2.41.0", f"the recipe wants Ray, but ray 2.41.0 is installed; {REMEDY}"),
        ("3.0.0", f"the recipe wants Ray, but ray 3.0.0 is installed; {REMEDY}"),
    ],
)
def test_ray_that_is_missing_or_another_one_is_one_line(monkeypatch, found, words):
    def version(name):
        if found is None:
            raise PackageNotFoundError(name)
        return found

    monkeypatch.setattr(ray_cluster, "version", version)
    for use in (ray_cluster.check_cluster, ray_cluster.ray_cluster().__enter__):
        with pytest.raises(ConfigError) as raised:
            use()
        assert str(raised.value) == words


def test_the_versions_are_those_of_the_extra():
    extras = tomllib.loads(PYPROJECT.read_text())["project"]["optional-dependencies"]
    wanted = {(line.name, line.specifier) for line in map(Requirement, extras["ray"])}
    assert wanted == {("ray", ray_cluster.NEEDED)}
    assert any("ray" in Requirement(line).extras for line in extras["dev"])


def test_an_address_for_clients_outside_the_cluster_is_refused(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "ray://head:10001")
    for use in (ray_cluster.check_cluster, ray_cluster.ray_cluster().__enter__):
        with pytest.raises(ConfigError, match="^RAY_ADDRESS is ray://head:10001, an address for clients"):
            use()


def test_a_head_that_does_not_answer_is_one_line(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setenv("RAY_ADDRESS", address)
        ray_cluster.check_cluster()
    with pytest.raises(ConfigError) as raised:
        ray_cluster.check_cluster()
    assert str(raised.value) == (
        f"the Ray cluster at RAY_ADDRESS={address} cannot be reached (Connection refused); start it, or check the "
        "address (`ray status` on the head node shows it)"
    )


@pytest.mark.parametrize("address", ["", "auto", "local"])
def test_an_address_that_ray_looks_up_is_left_to_it(monkeypatch, address):
    monkeypatch.setenv("RAY_ADDRESS", address)
    ray_cluster.check_cluster()


@pytest.mark.slow
def test_a_cluster_that_is_started_here_ends_here(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "local")
    before = set(psutil.Process().children(recursive=True))
    with ray_cluster.ray_cluster() as ray:
        started = set(psutil.Process().children(recursive=True)) - before
        with ray_cluster.ray_cluster() as joined:
            assert joined is ray
        assert ray.is_initialized() and os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
        assert list(RayPool(ray, 7, 2).map(worker_calls.multiplied, range(3))) == [0, 7, 14]
    assert started and psutil.wait_procs(started, timeout=30)[1] == []


@pytest.mark.parametrize("kind", [Exception, ConnectionError])
def test_a_cluster_that_does_not_start_is_one_line_whatever_ray_raises(monkeypatch, kind):
    ray = pytest.importorskip("ray")

    def init(**_):
        raise kind("The current node timed out during startup.\nSee the logs.")

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(ray, "init", init)
    with pytest.raises(ConfigError) as raised:
        ray_cluster.ray_cluster().__enter__()
    assert str(raised.value) == (
        "the Ray cluster cannot be joined or started (The current node timed out during startup.); check `ray status` "
        "there, and RAY_ADDRESS"
    )
