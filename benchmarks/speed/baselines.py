"""The same requests through other clients, to hold our figures against: aiohttp alone, with uvloop and SQLite, and the openai library."""

import asyncio
import hashlib
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import openai
import orjson
import uvloop

PROMPT = (
    "You get numbered sentences of one document. For each sentence write, one to a line, a rephrasing and a reversal. "
    * 24
)


def target(number: int) -> str:
    """The end of request `number`."""
    return f"\n[1] Pump number {number} stands in the mill house of Port Ennis."


def body(number: int) -> dict[str, Any]:
    """A request like one of local augmentation: instructions, worked examples, then a sentence."""
    content = PROMPT + target(number)
    return {
        "model": "m",
        "max_tokens": 512,
        "temperature": 0.7,
        "seed": 1,
        "messages": [{"role": "user", "content": content}],
    }


async def _spread(count: int, in_flight: int, one: Callable[[int], Awaitable[None]]) -> None:
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            await one(number)

    await asyncio.gather(*(work() for _ in range(in_flight)))


async def _aiohttp(url: str, count: int, in_flight: int) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def one(number: int) -> None:
            async with session.post(
                f"{url}/chat/completions", data=orjson.dumps(body(number)), headers=_JSON
            ) as response:
                orjson.loads(await response.read())["choices"][0]["message"]["content"]

        await _spread(count, in_flight, one)


async def _aiohttp_sqlite(url: str, count: int, in_flight: int, file: Path) -> None:
    """Each answer is on disk (write-ahead log, synchronous FULL) before its slot is free, as many as came in one transaction."""
    store = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    store.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE r (key BLOB PRIMARY KEY, text TEXT) WITHOUT "
        "ROWID;"
    )
    waiting: list[tuple[bytes, str, asyncio.Future[None]]] = []
    writing: set[asyncio.Task[None]] = set()

    def put(rows: list[tuple[bytes, str]]) -> None:
        store.execute("BEGIN IMMEDIATE")
        store.executemany("INSERT OR IGNORE INTO r VALUES (?, ?)", rows)
        store.execute("COMMIT")

    async def write() -> None:
        while waiting:
            batch = waiting[:]
            waiting.clear()
            await asyncio.to_thread(put, [(k, t) for k, t, _ in batch])
            for _, _, done in batch:
                done.set_result(None)
        writing.clear()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def one(number: int) -> None:
            content = orjson.dumps(body(number))
            async with session.post(f"{url}/chat/completions", data=content, headers=_JSON) as response:
                text = orjson.loads(await response.read())["choices"][0]["message"]["content"]
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            waiting.append((hashlib.sha256(content).digest(), text, done))
            if not writing:
                writing.add(asyncio.create_task(write()))
            await done

        await _spread(count, in_flight, one)
    store.close()


async def _openai(url: str, count: int, in_flight: int) -> None:
    client = openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0)

    async def one(number: int) -> None:
        answer = await client.chat.completions.create(**body(number))
        assert answer.choices[0].message.content is not None

    await _spread(count, in_flight, one)
    await client.close()


_JSON = {"Content-Type": "application/json"}
NAMES = ("aiohttp", "aiohttp + uvloop + SQLite", "openai")


def run(name: str, url: str, count: int, in_flight: int, folder: Path) -> None:
    """Sends `count` requests through one of the baselines."""
    if name == "aiohttp":
        asyncio.run(_aiohttp(url, count, in_flight))
    elif name == "openai":
        asyncio.run(_openai(url, count, in_flight))
    else:
        file = folder / f"baseline-{time.monotonic_ns()}.sqlite"
        uvloop.run(_aiohttp_sqlite(url, count, in_flight, file))
