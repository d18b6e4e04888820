"""Shared by the tests of asking: nobody who watches, and a clock that moves only while everybody waits."""

import asyncio
from contextlib import contextmanager


class Quiet:
    def update(self, asked):
        pass


class Clock:
    """A time in seconds that moves only when somebody sleeps, and not before the requests `held` have been answered.

    Those who sleep at the same time wake in the order of their times, as with a real clock.
    """

    def __init__(self, now=0.0):
        self.now = now
        self._held = 0
        self._wakes = []

    def __call__(self):
        return self.now

    @contextmanager
    def held(self):
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1

    async def sleep(self, seconds):
        wake = self.now + seconds
        self._wakes.append(wake)
        try:
            await asyncio.sleep(0.001)
            while self._held or min(self._wakes) < wake:
                await asyncio.sleep(0.001)
        finally:
            self._wakes.remove(wake)
        self.now = max(self.now, wake)
