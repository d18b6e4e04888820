"""Items -> futures of what is made of them, in the order of the items, some ahead of need."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


def in_order(submit: Callable[[Item], "Future[Made]"], items: Iterable[Item], ahead: int) -> Iterator["Future[Made]"]:
    """Yield the future of each item in their order.

    Args:
        submit: Has something made of an item.
        items: The items.
        ahead: Number of items that are submitted before the first future is yielded.
    """
    waiting: deque[Future[Made]] = deque()
    for item in items:
        waiting.append(submit(item))
        if len(waiting) > ahead:
            yield waiting.popleft()
    yield from waiting
