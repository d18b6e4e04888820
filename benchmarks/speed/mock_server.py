"""An OpenAI-compatible server that costs next to nothing, for measuring clients: HTTP by hand on uvloop, answers by a fixed rule.

Usage: python mock_server.py [--core N] [--latency S] [--jitter SHARE] [--cache-tokens N --prefill-rate N]

Prints its port. `GET /stats` says what it saw (`/reset`: from now on), `/away?SECONDS` takes it off the network for a
while. With `--cache-tokens` it keeps a prefix cache of that size in blocks of 16 tokens, the least recently used first
out, as vLLM does; a block can be used once the request that computes it has been read in full, which takes its tokens /
`--prefill-rate` seconds, one request after the other.
"""

import argparse
import asyncio
import os
import random
import sys
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import orjson
import uvloop

_BLOCK_BYTES = 64
_BYTES_PER_TOKEN = 4
_WORDS = "the pump the harbour keeps is older than any valve that Port Ennis had before the mill was built".split()


class PrefixCache:
    """Which blocks of prompts are computed; counts tokens that were asked, computed and different."""

    def __init__(self, tokens: int) -> None:
        self._room = tokens * _BYTES_PER_TOKEN // _BLOCK_BYTES
        self._blocks: OrderedDict[int, None] = OrderedDict()
        self._ever: set[int] = set()
        self.asked = self.computed = self.distinct = 0

    def read(self, prompt: bytes) -> tuple[list[int], int]:
        """The prompt's blocks, and how many tokens of it are to be computed."""
        blocks = list(_chain(prompt))
        known = 0
        while known < len(blocks) and blocks[known] in self._blocks:
            self._blocks.move_to_end(blocks[known])
            known += 1
        tokens = len(prompt) // _BYTES_PER_TOKEN
        missing = tokens - known * _BLOCK_BYTES // _BYTES_PER_TOKEN
        self.asked += tokens
        self.computed += missing
        new = sum(b not in self._ever for b in blocks)
        self.distinct += new * _BLOCK_BYTES // _BYTES_PER_TOKEN + tokens % (_BLOCK_BYTES // _BYTES_PER_TOKEN)
        self._ever.update(blocks)
        return blocks, missing

    def keep(self, blocks: list[int]) -> None:
        """The blocks are there now; the oldest make room."""
        for block in blocks:
            self._blocks[block] = None
            self._blocks.move_to_end(block)
        while len(self._blocks) > self._room:
            self._blocks.popitem(last=False)


def _chain(prompt: bytes) -> Iterator[int]:
    """A digest for each full block, of everything up to its end."""
    state = 0
    for i in range(0, len(prompt) - _BLOCK_BYTES + 1, _BLOCK_BYTES):
        state = hash((state, prompt[i : i + _BLOCK_BYTES]))
        yield state


class Mock:
    """The state that all connections share."""

    def __init__(self, latency: float, jitter: float, cache: PrefixCache | None, prefill_rate: float) -> None:
        self.latency, self.jitter, self.cache, self.prefill_rate = latency, jitter, cache, prefill_rate
        self.random = random.Random(1)
        self.seen: set[int] = set()
        self.requests = self.repeated = self.most = self.now = 0
        self.busy_until = self.delays = 0.0
        self.connections: set[Connection] = set()
        self.server: Any = None

    def stats(self) -> dict[str, float]:
        """What was seen so far."""
        cache = self.cache or PrefixCache(0)
        tokens = {"asked": cache.asked, "computed": cache.computed, "distinct": cache.distinct}
        return {
            "requests": self.requests,
            "repeated": self.repeated,
            "most_in_flight": self.most,
            "delays": self.delays,
            **tokens,
        }

    def count(self, body: bytes) -> None:
        """Notes a request, and whether the same came before."""
        self.requests += 1
        key = zlib.crc32(body) << 32 | zlib.adler32(body)
        self.repeated += key in self.seen
        self.seen.add(key)

    def delay(self) -> float:
        """Seconds until the next answer."""
        return self.latency * (1 + self.jitter * (2 * self.random.random() - 1))

    async def away(self, seconds: float) -> None:
        """Closes the port and all connections, and comes back."""
        port = self.server.sockets[0].getsockname()[1]
        self.server.close()
        for connection in list(self.connections):
            connection.transport.abort()
        await asyncio.sleep(seconds)
        self.server = await asyncio.get_running_loop().create_server(lambda: Connection(self), "127.0.0.1", port)


class Connection(asyncio.Protocol):
    """One client connection: requests with a Content-Length, one after the other."""

    def __init__(self, mock: Mock) -> None:
        self._mock = mock
        self._data = bytearray()
        self._need = 0

    def connection_made(self, transport: Any) -> None:
        """Keeps the transport."""
        self.transport = transport
        self._mock.connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Forgets the connection."""
        self._mock.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        """Answers once a request is complete."""
        self._data += data
        if len(self._data) < self._need:
            return
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._data[:end]).lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        self._need = end + 4 + length
        if len(self._data) >= self._need:
            body = bytes(self._data[end + 4 : self._need])
            del self._data[: self._need]
            self._need = 0
            self._request(head.split(b" ", 2)[1].decode(), body)

    def _request(self, path: str, body: bytes) -> None:
        mock = self._mock
        if path == "/stats":
            self._send(orjson.dumps(mock.stats()))
        elif path == "/reset":
            mock.seen.clear()
            mock.repeated = 0
            self._send(b"{}")
        elif path.startswith("/away"):
            self._send(b"{}")
            asyncio.get_running_loop().call_soon(
                lambda: asyncio.ensure_future(mock.away(float(path.partition("?")[2])))
            )
        elif path == "/health":
            self._send(b"{}")
        else:
            self._answer(body)

    def _answer(self, body: bytes) -> None:
        mock = self._mock
        mock.count(body)
        mock.now += 1
        mock.most = max(mock.most, mock.now)
        delay, cached = mock.delay(), 0
        if mock.cache is not None:
            prompt = _prompt(body)
            blocks, missing = mock.cache.read(prompt)
            cached = len(prompt) // _BYTES_PER_TOKEN - missing
            loop = asyncio.get_running_loop()
            mock.busy_until = max(mock.busy_until, loop.time()) + missing / mock.prefill_rate
            loop.call_at(mock.busy_until, mock.cache.keep, blocks)
            delay += mock.busy_until - loop.time()
        mock.delays += delay
        answer = _reply(body, cached)
        if delay:
            asyncio.get_running_loop().call_later(delay, self._done, answer)
        else:
            self._done(answer)

    def _done(self, answer: bytes) -> None:
        self._mock.now -= 1
        self._send(answer)

    def _send(self, content: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(content)
        if not self.transport.is_closing():
            self.transport.write(head + content)


def _prompt(body: bytes) -> bytes:
    fields = orjson.loads(body)
    return (fields.get("prompt") or "".join(m["content"] for m in fields["messages"])).encode()


def _reply(body: bytes, cached: int) -> bytes:
    """Two statements that depend on the request only, as JSON by hand: parsing the prompt would make the server the bottleneck."""
    seed = zlib.crc32(body)
    words = [_WORDS[(seed >> i) % len(_WORDS)] for i in range(0, 24, 3)]
    text = (
        f"[1] rephrasing: Number {seed} says that {' '.join(words)}.\\n[1] reversal: By {' '.join(words[::-1])} goes "
        f"number {seed}."
    )
    choice = (
        f'"text":"{text}"' if body.startswith(b'{"prompt"') else f'"message":{{"role":"assistant","content":"{text}"}}'
    )
    details = f'"prompt_tokens_details":{{"cached_tokens":{cached}}}'
    usage = f'"prompt_tokens":{len(body) // 4},"completion_tokens":{len(text) // 4},{details}'
    head = '"id":"x","object":"completion","created":1,"model":"m"'
    return f'{{{head},"choices":[{{"index":0,"finish_reason":"stop",{choice}}}],"usage":{{{usage}}}}}'.encode()


async def _main(arguments: argparse.Namespace) -> None:
    cache = PrefixCache(arguments.cache_tokens) if arguments.cache_tokens else None
    mock = Mock(arguments.latency, arguments.jitter, cache, arguments.prefill_rate)
    loop = asyncio.get_running_loop()
    mock.server = await loop.create_server(lambda: Connection(mock), "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{mock.server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--core", type=int)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--jitter", type=float, default=0.0)
    parser.add_argument("--cache-tokens", type=int, default=0)
    parser.add_argument("--prefill-rate", type=float, default=50_000.0)
    given = parser.parse_args()
    if given.core is not None:
        os.sched_setaffinity(0, {given.core})
    uvloop.run(_main(given))
