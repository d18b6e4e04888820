"""Answers in the order they come -> the store: as many in one transaction as came during the last one."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.teacher.answer import Answer
from axolotl_augft.teacher.request import Request


class Journal:
    """Writes answers in a thread of its own, so that waiting for the disk holds up nobody else."""

    def __init__(self, store: ResponseStore) -> None:
        self._store = store
        self._waiting: list[tuple[Request, Answer, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "augft-journal")

    async def put(self, request: Request, answer: Answer) -> None:
        """Returns when the answer is durable.

        Raises:
            StoreError: It could not be written.
        """
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[None] = loop.create_future()
        self._waiting.append((request, answer, stored))
        if self._writing is None or self._writing.done():
            self._writing = loop.create_task(self._write())
        await stored

    async def close(self) -> None:
        """Waits for the last write."""
        if self._writing is not None:
            await asyncio.shield(self._writing)
        self._thread.shutdown()

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting, []
            error: Exception | None = None
            try:
                await loop.run_in_executor(self._thread, self._store.put, [(r, a) for r, a, _ in batch])
            except Exception as raised:
                error = raised
            for _, _, stored in batch:
                # One that nobody waits for any more was cancelled; its answer is stored all the same.
                if not stored.done():
                    stored.set_exception(error) if error else stored.set_result(None)
