"""A small model on `transformers serve` -> seconds for requests of context groups, in our order and in random order."""

import random
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import corpus
from measuring import Figure

from axolotl_augft.asking.pacing.pace import Pace
from axolotl_augft.asking.round import Round, RoundCounts
from axolotl_augft.asking.window import ask
from axolotl_augft.config.augment import GlobalAugment
from axolotl_augft.config.teacher import TeacherConfig
from axolotl_augft.files.fingerprints import model_files, stamp_files
from axolotl_augft.sources.documents import Document, document_id
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.strategies.global_ import GlobalStrategy
from axolotl_augft.teacher import request as requesting
from axolotl_augft.teacher.client import Server
from axolotl_augft.teacher.request import Request
from axolotl_augft.teacher.serving.servers import managed_server
from axolotl_augft.teacher.teacher import Teacher, resolve_teacher

_IN_FLIGHT = 4
_DOCUMENTS = 10
_ANSWER = 16


class _Quiet:
    def update(self, asked: RoundCounts) -> None:
        """Show nothing."""


def _requests(teacher: Teacher, store: ResponseStore, first: int) -> list[Request]:
    """Requests about documents that no other call uses, so that no cache holds them yet."""
    texts = [" ".join(corpus.text(11 * i + j) for j in range(11)) for i in range(first, first + _DOCUMENTS)]
    documents = [Document(document_id(t), t, 0, i) for i, t in enumerate(texts)]
    entry = GlobalAugment(context_tokens=2700, max_tokens=_ANSWER)
    return [t.request for t in GlobalStrategy(entry, teacher, documents, "en", store, f"{first}").in_sending_order()]


def _seconds(requests: Iterable[Request], server: Server, store: ResponseStore) -> float:
    start = time.perf_counter()
    ask(requests, Round(server, store, Pace(_IN_FLIGHT, 2), _Quiet()))
    return time.perf_counter() - start


def figures(model: str) -> list[Figure]:
    """Return the line of the table."""
    config = TeacherConfig(model=model, temperature=0.0)
    teacher = resolve_teacher(config, model, 1, stamp_files(model_files(Path(model)), {}))
    with (
        tempfile.TemporaryDirectory() as folder,
        ResponseStore.opened(Path(folder) / "store.sqlite") as store,
        managed_server(teacher, Path(folder) / "server.log") as running,
    ):
        server = Server(running.base_url, teacher.model, 600, shape=running.shape)
        _seconds(_requests(teacher, store, 0)[:2], server, store)
        groups = [_requests(teacher, store, first) for first in (1000, 2000)]
        ordered = _seconds(groups[0], server, store)
        random.Random(1).shuffle(groups[1])
        long, requesting._LONG = requesting._LONG, sys.maxsize
        shuffled = _seconds(groups[1], server, store)
        requesting._LONG = long
    number = len({r.prefix for r in groups[0]})
    what = (
        f"transformers serve, {Path(model).name}: {len(groups[0])} global requests in {number} groups, "
        f"{_IN_FLIGHT} in flight"
    )
    return [Figure(what, "", f"{ordered:.0f} s, in random order {shuffled:.0f} s")]
