"""One client and a server's URL -> the client's figures, measured in a process of its own.

`python clients.py NAME URL[,URL] COUNT IN_FLIGHT FOLDER` prints them as JSON; only ours take several servers. NAME is a
baseline or one of ours: `bare` sends ready-made requests; `local` goes from documents through prompts, which are laid
out and counted before the first is sent, to stored answers; `fitting` does the same with the prompts that are the most
work to make, and `streamed` with documents generated on the way; `global` has context groups of 16,000 tokens;
`shuffled` sends the same requests in random order, without sending the first of a group ahead.
"""

import os
import random
import resource
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import baselines
import corpus
import orjson
import psutil

from axolotl_augft.asking.feed import count_requests
from axolotl_augft.asking.pacing.pace import Pace
from axolotl_augft.asking.round import Round, RoundCounts
from axolotl_augft.asking.window import ask
from axolotl_augft.config.augment import GlobalAugment, LocalAugment
from axolotl_augft.config.teacher import TeacherConfig
from axolotl_augft.files.collector import fewer_collections
from axolotl_augft.files.item_file import ItemFile
from axolotl_augft.sources.documents import Document, document_id
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.strategies.global_ import GlobalStrategy
from axolotl_augft.strategies.local import LocalStrategy
from axolotl_augft.teacher import request as requesting
from axolotl_augft.teacher.client import Server
from axolotl_augft.teacher.request import Prefix, Request, Sampling
from axolotl_augft.teacher.teacher import Teacher
from axolotl_augft.text.tokens import ESTIMATE

_EARLY = 5000
_DOCUMENTS = ("local", "fitting", "streamed")


class MemoryWatcher:
    """Records the resident memory after 5,000 answers."""

    def __init__(self) -> None:
        self.early = 0

    def update(self, asked: RoundCounts) -> None:
        """Called after each answer."""
        if not self.early and asked.answered >= _EARLY:
            self.early = psutil.Process().memory_info().rss


def teacher(url: str, in_flight: int) -> Teacher:
    """A teacher without a local tokenizer, like most hosted models."""
    config = TeacherConfig(base_url=url.split(","))
    return Teacher(config, "endpoint", "m", "mock", "chat", in_flight, ESTIMATE, None, 42)


def long_documents(count: int) -> list[Document]:
    """Documents of about 2,600 bytes; 24 fit into a context group."""
    texts = (" ".join(corpus.text(20 * i + j) for j in range(20)) for i in range(count))
    return [Document(document_id(t), t, 0, i) for i, t in enumerate(texts)]


def plain_requests(count: int) -> list[Request]:
    """The requests that the baselines send."""
    prefix = Prefix("", baselines.PROMPT)
    return [
        Request("mock", "chat", prefix, baselines.target(i), Sampling(0.7, None, 512, (), 1), 0) for i in range(count)
    ]


def run(name: str, url: str, count: int, in_flight: int, folder: Path) -> dict[str, Any]:
    """Measure one client: seconds, CPU seconds, number of requests, and growth of memory in bytes."""
    if name in baselines.NAMES:
        return timed(lambda: baselines.run(name, url, count, in_flight, folder)) | {"requests": count}
    with fewer_collections(), ResponseStore.opened(folder / f"{name}-{time.monotonic_ns()}.sqlite") as store:
        watcher = MemoryWatcher()
        server, *further = (Server(one, "m", 600) for one in url.split(","))
        round_ = Round(server, store, Pace(in_flight, 6), watcher, further=tuple(further))
        if name in _DOCUMENTS:
            strategy = _local(name, url, in_flight, count)
            figures = timed(lambda: _laid_out_and_asked(strategy, round_, folder))
        else:
            made = (
                plain_requests(count) if name == "bare" else _global(url, count, in_flight, store, name == "shuffled")
            )
            figures = timed(lambda: ask(made, round_).answered)
        figures["growth"] = psutil.Process().memory_info().rss - watcher.early if watcher.early else 0
        return figures


def _laid_out_and_asked(strategy: LocalStrategy, round_: Round, folder: Path) -> int:
    with ItemFile[Request](folder) as missing:
        count_requests((t.request for t in strategy.in_sending_order()), round_.store, missing=missing.add)
        return ask(missing, round_, missing=True).answered


def _local(name: str, url: str, in_flight: int, count: int) -> LocalStrategy:
    """Make the strategy whose requests are about one document each."""
    documents = corpus.documents(count, most_sentences=1 if name == "local" else 3)
    entry = LocalAugment() if name == "local" else LocalAugment(**corpus.LOCAL)
    return LocalStrategy(entry, teacher(url, in_flight), documents if name == "streamed" else list(documents), "en")


def _global(url: str, count: int, in_flight: int, store: ResponseStore, shuffled: bool) -> Iterable[Request]:
    strategy = GlobalStrategy(GlobalAugment(), teacher(url, in_flight), long_documents(count), "en", store, "bench")
    assert strategy.groups, "grouping is done here, before the measurement, and remembered"
    requests = (t.request for t in strategy.in_sending_order())
    if not shuffled:
        return requests
    requesting._LONG = sys.maxsize
    mixed = list(requests)
    random.Random(1).shuffle(mixed)
    return mixed


def timed(work: Any) -> dict[str, Any]:
    """Measure wall and CPU seconds of some work, and return them with its result as `requests`."""
    start, cpu = time.perf_counter(), time.process_time()
    result = work()
    return {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu, "requests": result}


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    _, kind, address, number, parallel, place = sys.argv
    found = run(kind, address, int(number), int(parallel), Path(place))
    found["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    sys.stdout.write(orjson.dumps(found).decode())
