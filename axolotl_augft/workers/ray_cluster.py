"""Ray -> the cluster that the stage's work runs on: the one at RAY_ADDRESS, or one that is started on this machine.

Ray decides which, as it does for axolotl's own training: RAY_ADDRESS, else a cluster that runs on this machine, else a
new one. What is started here ends here.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from packaging.specifiers import SpecifierSet

from axolotl_augft.errors import ConfigError

NEEDED = SpecifierSet(">=2.60,<3")
"""Versions of Ray that work, as in pyproject.toml."""
_LOST_FOR_MEMORY = "3"
"""How often Ray runs a task again whose process it killed for want of memory; without this setting, for ever."""
_SECONDS = 10
"""How long a cluster's head may take to accept a connection; Ray itself tries for a quarter of an hour."""


def check_cluster() -> None:
    """Check what can be seen of Ray and its cluster at once, before anything is paid for; joins no cluster.

    Raises:
        ConfigError: Ray is missing or of another version, or the address is of the wrong kind or cannot be reached.
    """
    _check_version()
    address = _address()
    host, _, port = address.rpartition(":")
    if not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_SECONDS).close()
    except OSError as error:
        raise ConfigError(
            f"the Ray cluster at RAY_ADDRESS={address} cannot be reached ({error.strerror or error}); start it, or "
            "check the address (`ray status` on the head node shows it)"
        ) from error


@contextmanager
def ray_cluster() -> Iterator[Any]:
    """Take part in the Ray cluster for the length of a `with` block; the value is the module `ray`.

    Raises:
        ConfigError: Ray is missing, is of another version, or its cluster cannot be joined.
    """
    ray = _imported()
    if ray.is_initialized():
        yield ray
        return
    _join(ray)
    try:
        yield ray
    finally:
        ray.shutdown()


def _imported() -> Any:
    _check_version()
    # Ray reports its use to its makers unless told otherwise; a run of ours reports nothing.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_task_oom_retries", _LOST_FOR_MEMORY)
    import ray

    return ray


def _check_version() -> None:
    remedy = f"install it with `pip install 'axolotl-augft[ray]'`, which takes ray{NEEDED}"
    try:
        found = version("ray")
    except PackageNotFoundError:
        raise ConfigError(f"the recipe wants Ray, which is not installed; {remedy}") from None
    if found not in NEEDED:
        raise ConfigError(f"the recipe wants Ray, but ray {found} is installed; {remedy}")


def _address() -> str:
    address = os.environ.get("RAY_ADDRESS", "")
    if address.startswith("ray://"):
        raise ConfigError(
            f"RAY_ADDRESS is {address}, an address for clients outside the cluster; run on a node of the cluster, with "
            "RAY_ADDRESS=auto or without it, or as a job (`ray job submit`)"
        )
    return address


def _join(ray: Any) -> None:
    address = _address()
    try:
        ray.init(log_to_driver=False, include_dashboard=False if not address else None, logging_level="warning")
    except Exception as error:  # Ray raises plain ones, too, as for a node that does not start in time
        reason = str(error).strip().split("\n")[0]
        raise ConfigError(
            f"the Ray cluster {f'at RAY_ADDRESS={address} ' if address else ''}cannot be joined or started ({reason}); "
            "check `ray status` there, and RAY_ADDRESS"
        ) from error
