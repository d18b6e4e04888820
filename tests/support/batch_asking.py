"""Shared by the tests of the Batch API: requests, and a run that sends them to a `BatchServer` without sleeping."""

from axolotl_augft.asking.batch import DOCUMENTED, ask_in_batches
from axolotl_augft.asking.budget import Budget
from axolotl_augft.asking.pacing.pace import Pace
from axolotl_augft.asking.round import Round
from axolotl_augft.teacher.client import Server
from axolotl_augft.teacher.request import Prefix, Request, Sampling
from tests.support.asking import Quiet

PREFIX = Prefix("", "the facts of the house of Ennis are many. ")


class Stopped(BaseException):
    """Stands for the end of the process while it waits."""


def request(target, api="chat", extra=()):
    return Request("t", api, PREFIX, target, Sampling(0.5, None, 16, ("###",), 1), 0, extra)


def requests(n):
    return [request(f"number {i}") for i in range(n)]


def run(
    server,
    some,
    store,
    limits=DOCUMENTED,
    retries=2,
    budget=None,
    trusted=False,
    waits=None,
    key="sk-1",
    stop_after=None,
    model="m",
    path="",
):
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        if stop_after is not None and len(slept) >= stop_after:
            raise Stopped

    target = Server(server.base_url + path, model, 5.0, key)
    budget = budget or Budget.unlimited()
    pace = Pace(4, retries, jitter=lambda: 1.0)
    try:
        return ask_in_batches(lambda: iter(some), Round(target, store, pace, Quiet(), trusted, budget), limits, sleep)
    finally:
        if waits is not None:
            waits.extend(slept)


def texts(store, some):
    return [a.text if a else None for a in store.get(some)]


def nothing_is_left(store):
    return store.rows("SELECT count(*) FROM batches") == store.rows("SELECT count(*) FROM batched") == [(0,)]
