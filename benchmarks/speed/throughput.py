"""Clients and a mock server -> requests per second, CPU per request and wall time, ours beside other clients."""

from typing import Any

from measuring import IN_FLIGHT, Figure, client, mock

_ROUNDS = 3
_COUNTS = {"openai": 600, "global": 720}


def speed(count: int) -> list[Figure]:
    """Measure without latency: the best of three rounds in which the clients take turns."""
    names = ["aiohttp", "aiohttp + uvloop + SQLite", "openai", "bare", "local", "fitting", "global"]
    rounds: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    with mock() as server:
        for _ in range(_ROUNDS):
            for name in names:
                rounds[name].append(client(name, server, _COUNTS.get(name, count)))
    rate = {name: max(r["requests"] / r["seconds"] for r in found) for name, found in rounds.items()}
    cpu = {name: min(r["cpu"] / r["requests"] for r in found) * 1000 for name, found in rounds.items()}
    of_aiohttp = {name: cpu["aiohttp"] / cpu[name] for name in ("local", "fitting")}
    reference = rate["aiohttp + uvloop + SQLite"]
    share = rate["bare"] / reference
    return [
        Figure("aiohttp alone, requests/s (CPU each)", "", f"{rate['aiohttp']:,.0f} ({cpu['aiohttp']:.3f} ms)"),
        Figure("aiohttp + uvloop + SQLite", "", f"{reference:,.0f} ({cpu['aiohttp + uvloop + SQLite']:.3f} ms)"),
        Figure("openai client alone", "", f"{rate['openai']:,.0f} ({cpu['openai']:.3f} ms)"),
        Figure("local: document to stored answer, requests/s", "4,000", f"{rate['local']:,.0f}", rate["local"] >= 4000),
        Figure("local: CPU a request", "0.25 ms", f"{cpu['local']:.3f} ms", cpu["local"] <= 0.25),
        Figure("local: CPU a request / openai client's", "", f"{cpu['local'] / cpu['openai']:.2f}"),
        Figure("local: CPU of aiohttp alone / CPU", "0.40", f"{of_aiohttp['local']:.2f}", of_aiohttp["local"] >= 0.4),
        Figure("local, 96 tokens, fitting examples: CPU a request", "", f"{cpu['fitting']:.3f} ms"),
        Figure("local, 96 tokens, fitting examples: CPU of aiohttp alone / CPU", "", f"{of_aiohttp['fitting']:.2f}"),
        Figure("bare client with store / aiohttp + uvloop + SQLite", "60 %", f"{share:.0%}", share >= 0.6),
        Figure("global, 64 KB prefix: CPU a request", "1 ms", f"{cpu['global']:.2f} ms", cpu["global"] <= 1),
    ]  # fmt: skip


def wall(latency: float, rounds: int) -> list[Figure]:
    """Measure wall time relative to the ideal of always full slots, with equal latencies and with a jitter of 50 %."""
    count = IN_FLIGHT * rounds
    figures = []
    for jitter, goal in ((0.0, 1.02), (0.5, 1.06)):
        found = {}
        for name in ("local", "aiohttp", "openai"):
            with mock(latency=latency, jitter=jitter) as server:
                seconds = client(name, server, count)["seconds"]
                found[name] = seconds / (server.get("/stats")["delays"] / IN_FLIGHT)
        what = f"wall time / ideal, {latency:g} s latency{' ± 50 %' if jitter else ''}, {count} requests"
        beside = f"aiohttp {found['aiohttp']:.3f}, openai {found['openai']:.3f}"
        figures.append(Figure(what, f"{goal:g}", f"{found['local']:.3f} ({beside})", found["local"] <= goal))
    return figures


def unequal(seconds: float, fast: float = 0.2) -> list[Figure]:
    """Measure two servers, one three times as fast as the other, against the sum of their rates.

    Args:
        seconds: How long the requests take at that sum.
        fast: Latency of the fast server, in seconds; more of it where other programs use the core.
    """
    slow = 3 * fast
    ideal = IN_FLIGHT / fast + IN_FLIGHT / slow
    count = int(seconds * ideal)
    with mock(latency=fast) as one, mock(latency=slow) as other:
        found = client("local", other, count, one)
    ratio = found["seconds"] * ideal / found["requests"]
    what = f"two servers, {fast:g} and {slow:g} s latency: wall time / that at the sum of their rates"
    return [Figure(what, "1.1", f"{ratio:.3f}", ratio <= 1.1)]


def prefixes(count: int) -> list[Figure]:
    """Measure tokens computed by a server with a bounded prefix cache, in our order and in random order."""
    ratio = {}
    for name in ("global", "shuffled"):
        with mock(cache_tokens=100_000, prefill_rate=200_000, latency=0.05, jitter=0.5) as server:
            client(name, server, count)
            stats = server.get("/stats")
            ratio[name] = stats["computed"] / stats["distinct"]
    what = "global: prompt tokens computed / distinct, cache of 100,000 tokens"
    return [
        Figure(what, "1.05", f"{ratio['global']:.3f} (random order {ratio['shuffled']:.1f})", ratio["global"] <= 1.05)
    ]


def memory(count: int) -> list[Figure]:
    """Measure the growth of resident memory after 5,000 answers."""
    with mock() as server:
        growth = client("streamed", server, count)["growth"] / 2**20
    return [
        Figure(f"resident memory, growth from 5,000 to {count:,} requests", "20 MB", f"{growth:.1f} MB", growth < 20)
    ]
