"""Limits, adaptive concurrency and stalls, with clocks that only move when somebody waits."""

import asyncio

import pytest
from aiohttp import web

from axolotl_augft.asking.pacing.gate import Gate
from axolotl_augft.asking.pacing.pace import Pace, Rates
from axolotl_augft.asking.round import Round
from axolotl_augft.asking.window import ask
from axolotl_augft.errors import AugftError, TeacherUnreachable
from axolotl_augft.teacher.answer import Answer, Failure, Outcome
from axolotl_augft.teacher.client import Server
from axolotl_augft.teacher.request import Prefix, Request, Sampling
from tests.support.asking import Clock, Quiet
from tests.support.teacher_server import TeacherServer, prompt_of

GOOD = Answer(Outcome.ANSWERED, "x", "stop", 10, None, 10)
BUSY = Failure("HTTP 429", busy=True)


def request(number=0, characters=400, longest=50):
    text = f"number {number} "
    return Request(
        "t", "chat", Prefix("", "x" * (characters - len(text))), text, Sampling(0.0, None, longest, (), 1), 0
    )


async def test_requests_a_minute_are_spread_evenly():
    clock = Clock()
    rates = Rates(120, None, clock, clock.sleep)
    sent = []
    for _ in range(4):
        await rates.before(request())
        sent.append(clock.now)
    assert sent == [0.0, 0.5, 1.0, 1.5]
    clock.now = 100.0
    await rates.before(request())
    await rates.before(request())
    assert clock.now == 100.5, "time without requests is not saved up for a burst"


async def test_tokens_a_minute_are_foreseen_and_settled():
    clock = Clock()
    rates = Rates(None, 6000, clock, clock.sleep)
    await rates.before(request())
    await rates.before(request())
    assert clock.now == 1.5, "100 tokens of prompt and 50 of answer at 100 a second"
    rates.after(request(), GOOD)
    await rates.before(request())
    assert clock.now == pytest.approx(1.7), "only 20 of the 150 were used"
    rates.after(request(), BUSY)
    rates.after(request(), Answer(Outcome.ANSWERED, "x", "stop"))
    await rates.before(request())
    assert clock.now == pytest.approx(3.2), "what is not known is taken as foreseen"


async def test_the_gate_falls_once_a_round_and_climbs_again():
    gate = Gate(10, Clock())
    marks = [await gate.enter() for _ in range(10)]
    gate.leave(marks[0], BUSY)
    assert gate.limit == 7
    gate.leave(marks[1], BUSY)
    assert gate.limit == 7, "it set out before the fall, so it says nothing new"
    for mark in marks[2:]:
        gate.leave(mark, None)
    gate.leave(await gate.enter(), BUSY)
    assert gate.limit == 4
    answers = 0
    while gate.limit < 10:
        gate.leave(await gate.enter(), GOOD)
        answers += 1
    assert 30 < answers < 60
    gate.leave(await gate.enter(), GOOD)
    assert gate.limit == 10
    for _ in range(50):
        gate.leave(await gate.enter(), BUSY)
    assert gate.limit == 1
    gate.leave(await gate.enter(), Failure("timeout"))
    assert gate.limit == 1, "only a server that says so is busy"


async def test_a_gate_opens_with_time_and_not_with_answers():
    clock = Clock()
    gate = Gate(64, clock, first=8)
    for _ in range(200):
        gate.leave(await gate.enter(), GOOD)
    assert gate.limit == 8
    clock.now = 0.125
    gate.leave(await gate.enter(), GOOD)
    assert gate.limit == 32
    clock.now = 1e6
    gate.leave(await gate.enter(), GOOD)
    assert gate.limit == 64


async def test_a_gate_that_was_refused_opens_no_further_with_time():
    clock = Clock()
    gate = Gate(64, clock, first=8)
    gate.leave(await gate.enter(), BUSY)
    clock.now = 10
    gate.leave(await gate.enter(), None)
    assert gate.limit == 5


async def test_a_gate_opens_while_no_answer_comes():
    gate = Gate(64, asyncio.get_running_loop().time, first=8)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        for _ in range(64):
            group.create_task(gate.enter())
    assert gate.room == 0


async def test_the_gate_holds_back_whoever_is_too_many_and_lets_in_in_order():
    gate = Gate(2, Clock())
    marks = [await gate.enter() for _ in range(2)]
    entered = []

    async def enter(number):
        await gate.enter()
        entered.append(number)

    tasks = [asyncio.create_task(enter(i)) for i in range(3)]
    await asyncio.sleep(0)
    assert entered == []
    tasks[0].cancel()
    gate.leave(marks[0], GOOD)
    await asyncio.sleep(0.01)
    assert entered == [1], "one that was cancelled takes nobody's turn"
    gate.leave(marks[1], BUSY)
    await asyncio.sleep(0.01)
    assert entered == [1], "after the fall there is room for one, and one is in"
    for task in tasks:
        task.cancel()


def test_a_server_that_bears_three_at_a_time_gets_about_three(store):
    now = most = 0

    async def busy_above_three(_, body):
        nonlocal now, most
        now += 1
        most = max(most, now)
        try:
            if now > 3:
                return web.Response(status=429)
            await asyncio.sleep(0.01)
        finally:
            now -= 1

    async def sleep(seconds):
        await asyncio.sleep(0.005)

    with TeacherServer(misbehave=busy_above_three) as server:
        pace = Pace(16, 100, sleep=sleep)
        asked = ask([request(i) for i in range(300)], Round(Server(server.base_url, "m", 5.0), store, pace, Quiet()))
    assert asked.answered == 300 and not asked.failed and most > 3
    assert asked.failed_tries["HTTP 429"] < 300, "without the gate 13 of 16 tries are refused"


def test_rates_are_taken_once_the_gate_has_let_a_request_in(store):
    class Passed:
        now = failed = most = 0

        async def before(self, request):
            self.now += 1
            self.most = max(self.most, self.now if self.failed >= 16 else 0)

        def after(self, request, result):
            self.now -= 1
            self.failed += isinstance(result, Failure)

    async def all_are_busy_once(_, body):
        if (number := len(server.bodies)) <= 16:
            while len(server.bodies) < 16:
                await asyncio.sleep(0.005)
            return web.Response(status=429)
        await asyncio.sleep(0.02 if number else 0)

    async def sleep(seconds):
        while passed.failed < 16:
            await asyncio.sleep(0.005)

    passed = Passed()
    with TeacherServer(misbehave=all_are_busy_once) as server:
        pace = Pace(16, 3, sleep=sleep, meters=(passed,))
        assert (
            ask(
                [request(i) for i in range(16)], Round(Server(server.base_url, "m", 5.0), store, pace, Quiet())
            ).answered
            == 16
        )
    assert 1 <= passed.most <= 12


def test_a_run_without_any_answer_ends_with_what_was_seen(store):
    clock = Clock()

    async def gone(_, body):
        return web.Response(status=500)

    with TeacherServer(misbehave=gone) as server, pytest.raises(TeacherUnreachable) as caught:
        pace = Pace(1, 99, sleep=clock.sleep, clock=clock, jitter=lambda: 1.0, stall_timeout=100.0)
        ask([request()], Round(Server(server.base_url, "m", 5.0), store, pace, Quiet()))
    assert 100 <= clock.now < 160
    assert "no answer from the teacher's server for 1" in str(caught.value) and "failures so far: HTTP 500 9" in str(
        caught.value
    )


class SlowLimit:
    """A meter that lets a try through every 200 seconds."""

    def __init__(self, clock):
        self._clock = clock

    async def before(self, request):
        await self._clock.sleep(200)

    def after(self, request, result):
        pass


def test_waiting_for_a_limit_is_no_silence(store):
    clock = Clock()
    served = 0

    async def every_second_fails(_, body):
        nonlocal served
        served += 1
        return web.Response(status=500) if served % 2 else None

    with TeacherServer(misbehave=every_second_fails) as server:
        pace = Pace(
            1, 99, sleep=clock.sleep, clock=clock, jitter=lambda: 1.0, stall_timeout=100.0, meters=(SlowLimit(clock),)
        )
        asked = ask([request(i) for i in range(3)], Round(Server(server.base_url, "m", 5.0), store, pace, Quiet()))
    assert asked.answered == 3 and asked.failed_tries == {"HTTP 500": 3}
    assert clock.now >= 6 * 200


def test_silence_begins_anew_with_each_answer_while_others_are_under_way(store):
    clock = Clock()

    async def second_is_late_and_fails(_, body):
        first = "number 0" in prompt_of(body)
        while len(server.bodies) < 2 if first else store.missing([request(0)]):
            await asyncio.sleep(0.01)
        if first:
            return None
        clock.now += 200
        return web.Response(status=500)

    with (
        TeacherServer(misbehave=second_is_late_and_fails) as server,
        pytest.raises(TeacherUnreachable, match="for 200 s"),
    ):
        pace = Pace(2, 0, sleep=clock.sleep, clock=clock, stall_timeout=100.0)
        ask([request(0), request(1)], Round(Server(server.base_url, "m", 5.0), store, pace, Quiet()))


def test_answers_in_between_are_progress(store):
    clock = Clock()
    tries = 0

    async def mostly_busy(_, body):
        nonlocal tries
        tries += 1
        return None if tries % 5 == 0 else web.Response(status=429, headers={"Retry-After": "20"})

    with TeacherServer(misbehave=mostly_busy) as server:
        pace = Pace(1, 99, sleep=clock.sleep, clock=clock, stall_timeout=100.0)
        asked = ask([request(i) for i in range(6)], Round(Server(server.base_url, "m", 5.0), store, pace, Quiet()))
    assert asked.answered == 6 and clock.now == 6 * 80
    assert asked.seconds == 6 * 80


class Budget:
    """A meter as a budget would be: lets so many tries through."""

    def __init__(self, tries):
        self.left = tries
        self.results = []

    async def before(self, request):
        if not self.left:
            raise AugftError("the budget is spent")
        self.left -= 1

    def after(self, request, result):
        self.results.append(result)


def test_a_meter_sees_every_try_and_may_end_the_run(store):
    async def sleep(seconds):
        pass

    served = 0

    async def first_fails(_, body):
        nonlocal served
        served += 1
        return web.Response(status=500) if served == 1 else None

    some = [request(i) for i in range(6)]
    budget = Budget(4)
    with TeacherServer(misbehave=first_fails) as server, pytest.raises(AugftError, match="the budget is spent"):
        ask(some, Round(Server(server.base_url, "m", 5.0), store, Pace(1, 3, sleep=sleep, meters=(budget,)), Quiet()))
    assert served == 4 and budget.results[0] == Failure("HTTP 500")
    assert [a.outcome for a in budget.results[1:]] == [Outcome.ANSWERED] * 3
    assert [a is not None for a in store.get(some)] == [True] * 3 + [False] * 3
