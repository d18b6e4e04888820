"""What tests have worker processes do; a worker process imports this module."""

import os
import signal
import threading
from pathlib import Path
from typing import Any

from axolotl_augft.errors import StoreError


def multiplied(held: int, item: int) -> int:
    return held * item


def in_process(held: object, item: object) -> int:
    return os.getpid()


def killed(held: object, item: int) -> int:
    """End the process as the kernel does when memory runs out."""
    if item == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def without_memory(held: object, item: int) -> int:
    raise MemoryError


def refused(held: object, item: int) -> int:
    raise StoreError("response store s: damaged")


def judged_until_killed(work: Any, shard: Any) -> object:
    """Judge a shard; be killed at the second one."""
    from axolotl_augft.shards.work import judge_shard

    seen = Path(work.recipe.output_dir) / "seen"
    try:
        seen.mkdir()
    except FileExistsError:
        os.kill(os.getpid(), signal.SIGKILL)
    return judge_shard(work, shard)


def killed_once(folder: str, item: int) -> int:
    """End the process at the third item, but not when it is made again."""
    seen = Path(folder) / "seen"
    if item == 3 and not seen.exists():
        seen.mkdir()
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def ended_at_home(folder: str, item: int) -> int:
    """Return the item on the node that the folder names; on others, tell there that this task is at work for ever."""
    import ray

    if ray.get_runtime_context().get_node_id() != (Path(folder) / "home").read_text():
        (Path(folder) / "at-work").touch()
        threading.Event().wait()
    return item
