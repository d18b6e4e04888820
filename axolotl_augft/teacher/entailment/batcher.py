"""Pairs of many requests at once -> one call of the model at a time, each with all pairs that wait."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")

# More at once would not fill a batch better, and those at the front would wait longer.
_MOST_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[Asked, Answered]):
    """An item and where its answer is awaited."""

    item: Asked
    answer: "asyncio.Future[Answered]"


class Batcher(Generic[Asked, Answered]):
    """Collects items while a function works on earlier ones in a thread; `run` must run meanwhile.

    Args:
        work: Maps items to answers, in order; called with at most 256 items, never twice at once. An answer that is
            an exception is raised where the item was asked.
    """

    def __init__(self, work: Callable[[Sequence[Asked]], Sequence[Answered | Exception]]) -> None:
        self._work = work
        self._waiting: asyncio.Queue[_Waiting[Asked, Answered]] = asyncio.Queue()

    async def ask(self, item: Asked) -> Answered:
        """Return the answer for an item; raise what the function raised, or what it gave as the answer."""
        answer: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait(_Waiting(item, answer))
        return await answer

    async def run(self) -> None:
        """Answer items until cancelled."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "entailment") as thread:
            while True:
                taken = [await self._waiting.get()]
                while not self._waiting.empty() and len(taken) < _MOST_AT_ONCE:
                    taken.append(self._waiting.get_nowait())
                try:
                    answers = await loop.run_in_executor(thread, self._work, [waiting.item for waiting in taken])
                except Exception as error:
                    for waiting in taken:
                        _settle(waiting.answer, error)
                else:
                    for waiting, answer in zip(taken, answers, strict=True):
                        _settle(waiting.answer, answer)


def _settle(awaited: "asyncio.Future[Answered]", answer: Answered | Exception) -> None:
    """Hand over an answer, unless whoever awaits it has gone."""
    if awaited.done():
        return
    if isinstance(answer, Exception):
        awaited.set_exception(answer)
    else:
        awaited.set_result(answer)
