"""Answers as they arrive -> the store, each transaction with all answers that arrived during the one before."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.teacher.answer import Answer
from axolotl_augft.teacher.request import Request


class Journal:
    """Writes answers in a thread of its own, so that waiting for the disk does not block the event loop."""

    def __init__(self, store: ResponseStore) -> None:
        self._store = store
        self._waiting: list[tuple[Request, Answer, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "augft-journal")

    async def put(self, request: Request, answer: Answer) -> None:
        """Store an answer, and return once it is durable.

        Raises:
            StoreError: The answer could not be written.
        """
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[None] = loop.create_future()
        self._waiting.append((request, answer, stored))
        if self._writing is None or self._writing.done():
            self._writing = loop.create_task(self._write())
        await stored

    async def close(self) -> None:
        """Wait for the last write."""
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
                # Done already if its waiter was cancelled; the answer is stored all the same.
                if not stored.done():
                    stored.set_exception(error) if error else stored.set_result(None)
