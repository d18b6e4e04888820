"""Insert and look-up rates of the response store as it grows: do they stay flat?

    python benchmarks/store_at_size.py --answers 10000000 --steps 10 --out build/store

Answers of about 300 characters are stored 64 to a transaction (what 64 requests in flight bring together, each
transaction synced to disk), each prompt 150 characters beside a prefix that 1,000 share. After each step some answers
are looked up, 500 to a query: in the order in which they came, as a run does that finds what an earlier one asked; at
random; and requests that are not there. Only the store's own calls are timed.
"""

import argparse
import random
import resource
import shutil
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.teacher.answer import Answer, Outcome
from axolotl_augft.teacher.request import Prefix, Request, Sampling

_SAMPLING = Sampling(0.7, None, 512, ("###",), 42)
_TEXT = "[1] reversal: the harbour of Port Ennis is looked after by Mara Quell, who lives in the mill house. " * 3
_PREFIX = "Write down what follows from each sentence. " * 60
_ONE_PREFIX = 1_000
_LOOKED_UP = 20_000


def _request(i: int) -> Request:
    prefix = Prefix("", f"{_PREFIX}{i // _ONE_PREFIX}")
    return Request(
        "teacher",
        "chat",
        prefix,
        f"[1] sentence number {i} of a document about harbours and mills. " + "x" * 80,
        _SAMPLING,
        0,
    )


def _pairs(first: int, count: int) -> Iterator[tuple[Request, Answer]]:
    for i in range(first, first + count):
        yield _request(i), Answer(Outcome.ANSWERED, f"{_TEXT}{i}", "stop", 700, 512, 60)


def _insert(store: ResponseStore, first: int, count: int, together: int) -> float:
    pairs = _pairs(first, count)
    seconds = 0.0
    while some := list(islice(pairs, together)):
        for request, _ in some:
            _ = request.key
        start = time.perf_counter()
        store.put(some)
        seconds += time.perf_counter() - start
    return count / seconds


def _look_up(store: ResponseStore, numbers: list[int], there: bool) -> float:
    requests = [_request(i) for i in numbers]
    for request in requests:
        _ = request.key
    start = time.perf_counter()
    found = sum(a is not None for i in range(0, len(requests), 500) for a in store.get(requests[i : i + 500]))
    seconds = time.perf_counter() - start
    assert found == (len(requests) if there else 0)
    return len(requests) / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=1_000_000)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--together", type=int, default=64, help="answers in a transaction")
    parser.add_argument("--out", type=Path, default=Path("build/store"))
    args = parser.parse_args()
    shutil.rmtree(args.out, ignore_errors=True)
    step = args.answers // args.steps
    print("   answers  inserts/s  in order/s  at random/s  misses/s  bytes/answer  memory")
    with ResponseStore.opened(args.out / "responses.sqlite") as store:
        for done in range(step, args.answers + 1, step):
            inserts = _insert(store, done - step, step, args.together)
            draw = random.Random(done)
            start = draw.randrange(done - _LOOKED_UP)
            in_order = _look_up(store, list(range(start, start + _LOOKED_UP)), there=True)
            at_random = _look_up(store, draw.sample(range(done), _LOOKED_UP), there=True)
            misses = _look_up(store, list(range(args.answers, args.answers + _LOOKED_UP)), there=False)
            size = sum(f.stat().st_size for f in args.out.iterdir())
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            rates = f"{inserts:>10,.0f} {in_order:>11,.0f} {at_random:>12,.0f} {misses:>9,.0f}"
            print(f"{done:>10,} {rates} {size / done:>13,.0f} {memory:>4,.0f} MB", flush=True)


if __name__ == "__main__":
    main()
