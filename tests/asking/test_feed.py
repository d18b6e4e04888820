"""Which requests are sent, and in which order."""

import asyncio
import itertools
import threading
import time

import pytest
from aiohttp import web

from axolotl_augft.asking.feed import RequestFeed, SendQueue, StoredCounts, count_requests, unanswered
from axolotl_augft.asking.pacing.pace import Pace
from axolotl_augft.asking.round import Round
from axolotl_augft.asking.window import ask
from axolotl_augft.errors import ConfigError, TeacherRefusedAccess
from axolotl_augft.teacher.answer import Answer, Outcome
from axolotl_augft.teacher.client import Server
from axolotl_augft.teacher.request import Prefix, Request, Sampling
from tests.support.asking import Quiet
from tests.support.teacher_server import TeacherServer, prompt_of

SAMPLING = Sampling(0.0, None, 16, (), 1)
LONG = 20_000


def group(name, size, characters=LONG):
    prefix = Prefix("", name * characters)
    return [Request("t", "chat", prefix, f"{name}{i}", SAMPLING, 0) for i in range(size)]


async def nothing_more_to_do():
    """Returns when the feed's thread has ended and the loop has done all that this led to."""
    for thread in threading.enumerate():
        if thread.name == "augft-feed":
            await asyncio.to_thread(thread.join, 1.0)
    for _ in range(9):
        await asyncio.sleep(0)


async def sent(requests, slots, *steps):
    """Return the targets sent at each step; a step first ends requests under way: answered (+) or failed (-)."""
    with RequestFeed(iter([requests]), threading.Event()) as feed:
        line = SendQueue(feed, slots)
        under_way, log = {}, []
        for step in ("", *steps):
            for what in step.split():
                line.ended(under_way.pop(what[1:]), answered=what[0] == "+")
            taken = []
            while len(under_way) < slots and taken[-1:] not in (["-"], ["end"]):
                take = asyncio.create_task(line.take())
                await nothing_more_to_do()
                if take.cancel():
                    taken.append("-")
                else:
                    request = take.result()
                    taken.append(request.target if request else "end")
                    if request:
                        under_way[request.target] = request
            log.append(" ".join(taken))
        return log


async def test_the_first_of_a_long_prefix_goes_alone_and_the_rest_once_it_is_answered():
    assert await sent(group("a", 4), 3, "+a0", "+a2", "+a1 +a3") == ["a0 -", "a1 a2 a3", "end", "end"]


async def test_the_next_group_is_opened_while_there_is_too_little_to_send():
    requests = [*group("a", 4), *group("b", 2)]
    assert await sent(requests, 3, "+b0", "+b1", "+a0", "+a3") == ["a0 b0 -", "b1 -", "-", "a1 a2 a3", "end"]


async def test_the_next_group_begins_before_the_one_before_has_ended():
    requests = [*group("a", 8), *group("b", 3)]
    steps = ["+a0", "+a1 +a2", "+a3 +b0", "+a4 +a5", "+a6 +a7 +b1"]
    assert await sent(requests, 3, *steps) == ["a0 -", "a1 a2 b0", "a3 a4", "a5 a6", "a7 b1", "b2 end"]


async def test_where_the_first_fails_another_takes_its_place():
    assert await sent(group("a", 4), 3, "-a0", "+a1") == ["a0 -", "a1 -", "a2 a3 end"]


async def test_short_prefixes_wait_for_nobody():
    assert await sent(group("a", 4, characters=100), 3, "+a1") == ["a0 a1 a2", "a3"]


async def test_so_many_prefixes_are_open_as_a_cache_holds():
    requests = [r for name in "abcdef" for r in group(name, 1, characters=100_000)]
    assert await sent(requests, 4, "+a0", "+b0") == ["a0 b0 -", "c0 -", "d0 -"]


async def test_a_prefix_that_comes_again_and_is_still_held_needs_no_first():
    requests = [*group("a", 2), *group("b", 1), *group("a", 3)[2:], *group("a", 5)[3:]]
    assert await sent(requests, 4, "+a0") == ["a0 b0 -", "a1 a2 a3"]


def test_nothing_of_a_group_reaches_the_server_before_its_first_is_answered(store):
    answered = []

    def answer(body):
        answered.append((prompt_of(body)[-2:], len(server.bodies)))
        return "A."

    requests = [r for name in "abc" for r in group(name, 8)]
    with TeacherServer(answer=answer, delay=0.02) as server:
        assert ask(requests, Round(Server(server.base_url, "m", 5.0), store, Pace(4, 0), Quiet())).answered == 24
        arrived = [prompt_of(b)[-2:] for b in server.bodies]
    assert sorted(arrived) == sorted(r.target for r in requests)
    for name in "abc":
        before_the_first_answer = arrived[: dict(answered)[f"{name}0"]]
        assert [t for t in before_the_first_answer if t[0] == name] == [f"{name}0"]


def test_a_first_that_is_filtered_warms_no_prefix(store):
    async def first_is_filtered(_, body):
        if prompt_of(body).endswith("a0"):
            return web.json_response(server.reply(body, "", "content_filter"))
        await asyncio.sleep(0.1)
        answered.append(len(server.bodies))

    answered = []
    with TeacherServer(misbehave=first_is_filtered) as server:
        ask(group("a", 8), Round(Server(server.base_url, "m", 5.0), store, Pace(4, 0), Quiet()))
    assert answered[0] == 2, "a0 and a1 are all that had arrived when a1 was answered"


def test_requests_that_are_answered_or_pending_are_left_out(store):
    a, b, c = group("x", 3)
    store.put([(a, Answer(Outcome.ANSWERED, "A."))])
    pending = {b.key}
    assert list(unanswered([a, b, c, c], store, pending)) == [[c]]
    assert pending == {b.key, c.key}
    missing = []
    assert count_requests([a, a, b, c, b], store, missing=missing.append) == StoredCounts(
        total=3, missing=2, answered=1, spent=store.spent([a.key])
    )
    assert missing == [[b, c]]


def test_an_error_while_requests_are_made_ends_the_run(store):
    def failing():
        yield from group("x", 70)
        raise ConfigError("block target fails")

    with TeacherServer() as server, pytest.raises(ConfigError, match="block target fails"):
        ask(failing(), Round(Server(server.base_url, "m", 5.0), store, Pace(4, 0), Quiet()))


def test_what_is_in_flight_when_making_requests_fails_is_stored(store):
    some = group("x", 64, characters=10)
    all_arrived, failed = threading.Event(), threading.Event()

    def failing():
        yield from some
        try:
            all_arrived.wait(10)
            raise ConfigError("block target fails")
        finally:
            failed.set()

    async def wait_for_the_failure(*_):
        if len(server.bodies) == 64:
            all_arrived.set()
        await asyncio.to_thread(failed.wait, 10)

    with (
        TeacherServer(misbehave=wait_for_the_failure) as server,
        pytest.raises(ConfigError, match="block target fails"),
    ):
        ask(failing(), Round(Server(server.base_url, "m", 5.0), store, Pace(70, 0), Quiet()))
    assert sum(a is not None for a in store.get(some)) == len(server.bodies) == 64


def test_an_end_does_not_wait_for_requests_that_are_answered_already(store):
    refused, answered = group("x", 2)
    store.put([(answered, Answer(Outcome.ANSWERED, "A."))])
    deadline = time.monotonic() + 30

    def endless():
        yield refused
        while time.monotonic() < deadline:
            yield answered

    with TeacherServer(misbehave=lambda _, body: refuse()) as server, pytest.raises(TeacherRefusedAccess):
        ask(endless(), Round(Server(server.base_url, "m", 5.0), store, Pace(4, 0), Quiet()))
    assert time.monotonic() < deadline - 10


async def refuse():
    return web.Response(status=401)


def test_a_feed_ends_though_its_source_does_not():
    async def enter_and_leave():
        with RequestFeed(itertools.repeat(group("x", 1)), threading.Event()):
            pass

    ending = threading.Thread(target=asyncio.run, args=[enter_and_leave()], daemon=True)
    ending.start()
    ending.join(10)
    assert not ending.is_alive()


def test_requests_are_made_as_they_are_needed(store):
    made = 0

    def many():
        nonlocal made
        for request in group("x", 5000, characters=10):
            made += 1
            yield request

    async def note(_, body):
        made_at.append(made)

    made_at = []
    with TeacherServer(misbehave=note) as server:
        ask(many(), Round(Server(server.base_url, "m", 5.0), store, Pace(4, 0), Quiet()))
    assert made_at[0] < 2500 and made_at[-1] == 5000
