"""A provider's limits, met without settings: how much is sent in vain, by a clock that moves when somebody waits."""

import math

import pytest
from aiohttp import web

from axolotl_augft.asking.pacing.gate import Gate
from axolotl_augft.asking.pacing.pace import Pace
from axolotl_augft.asking.pacing.throttle import Throttle
from axolotl_augft.asking.round import Round
from axolotl_augft.asking.window import ask
from axolotl_augft.errors import TeacherUnreachable
from axolotl_augft.teacher.answer import Answer, Failure, Outcome
from axolotl_augft.teacher.client import Client, Server
from axolotl_augft.teacher.failures import Quota, duration, error_of, quota
from axolotl_augft.teacher.request import Prefix, Request, Sampling
from tests.support.asking import Clock, Quiet
from tests.support.teacher_server import TeacherServer

PREFIX = Prefix("", "the facts of the house of Ennis are many. ")


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still while the server has a request to answer."""
    clock = Clock(1000.0)
    send = Client.send

    async def held(*args, **kwargs):
        with clock.held():
            return await send(*args, **kwargs)

    monkeypatch.setattr(Client, "send", held)
    return clock


def requests(n):
    return [Request("t", "chat", PREFIX, f"number {i}", Sampling(0.0, None, 16, (), 1), 0) for i in range(n)]


class Window:
    """Allows so many requests in each minute from the first one."""

    def __init__(self, clock, most=240):
        self._clock, self.most, self._start, self.left = clock, most, clock.now, most

    def take(self):
        minutes = math.floor((self._clock.now - self._start) / 60)
        if minutes:
            self._start, self.left = self._start + 60 * minutes, self.most
        self.left -= 1
        return self.left >= 0

    @property
    def seconds(self):
        return self._start + 60 - self._clock.now


class Bucket:
    """Holds 240 requests and gets four a second."""

    def __init__(self, clock, most=240):
        self._clock, self.most, self.left, self._at = clock, most, float(most), clock.now

    def take(self):
        now = self._clock.now
        self.left = min(self.most, self.left + (now - self._at) * self.most / 60)
        self._at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True

    @property
    def seconds(self):
        return (1 - self.left) * 60 / self.most if self.left < 1 else 0.0


def silent(limit):
    return {}, {"error": {"message": "slow down", "code": 429}}


def says_when(limit):
    return {"Retry-After": str(math.ceil(limit.seconds))}, {}


def in_milliseconds(limit):
    return {"Retry-After-Ms": str(round(limit.seconds * 1000))}, {}


def like_gemini(limit):
    details = [{"@type": "QuotaFailure"}, {"@type": "RetryInfo", "retryDelay": f"{limit.seconds:.3f}s"}]
    message = "You exceeded your current quota, please check your plan and billing details."
    return {}, [{"error": {"code": 429, "message": message, "status": "RESOURCE_EXHAUSTED", "details": details}}]


SAYS = [silent, says_when, in_milliseconds, like_gemini]


@pytest.mark.parametrize("limit", [Window, Bucket])
@pytest.mark.parametrize("says", SAYS)
@pytest.mark.parametrize("status", [429, 200])
def test_a_limit_costs_a_tenth_more_requests_at_most(store, clock, limit, says, status):
    provider = limit(clock)

    async def limited(_, body):
        if provider.take():
            return None
        headers, said = says(provider)
        said = said or {"error": {"message": "slow down", "code": 429}}
        return web.json_response(said, status=status, headers=headers)

    with TeacherServer(misbehave=limited) as server:
        pace = Pace(64, 6, sleep=clock.sleep, clock=clock, jitter=lambda: 1.0, stall_timeout=1800)
        asked = ask(requests(400), Round(Server(server.base_url, "m", 5.0), store, pace, Quiet()))
        sent = len(server.bodies)
    assert (asked.answered, dict(asked.failed)) == (400, {})
    assert sent <= 440
    assert clock.now - 1000 < 200


@pytest.mark.parametrize("names", [("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
                                   ("x-ratelimit-remaining", "x-ratelimit-reset")])  # fmt: skip
def test_a_server_that_counts_down_is_hardly_overrun(store, clock, names):
    provider = Window(clock)

    async def counted(_, body):
        if not provider.take():
            return web.json_response({}, status=429)
        headers = {names[0]: str(provider.left), names[1]: f"{math.ceil(provider.seconds)}s"}
        return web.json_response(server.reply(body, "So it is."), headers=headers)

    with TeacherServer(misbehave=counted) as server:
        pace = Pace(64, 6, sleep=clock.sleep, clock=clock, jitter=lambda: 1.0, stall_timeout=1800)
        asked = ask(requests(400), Round(Server(server.base_url, "m", 5.0), store, pace, Quiet()))
        sent = len(server.bodies)
    assert asked.answered == 400 and sent <= 440


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "30"}])
def test_a_limit_without_end_is_ended_by_silence_and_not_by_retries(store, clock, headers):

    async def always(_, body):
        return web.json_response({"error": {"message": "slow down"}}, status=429, headers=headers)

    with TeacherServer(misbehave=always) as server, pytest.raises(TeacherUnreachable) as caught:
        pace = Pace(64, 1, sleep=clock.sleep, clock=clock, jitter=lambda: 1.0, stall_timeout=600)
        ask(requests(100), Round(Server(server.base_url, "m", 5.0), store, pace, Quiet()))
    assert "stall_timeout" in str(caught.value) and "(slow down)" in str(caught.value)
    assert len(server.bodies) < 60


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("34s", 34.0), ("34.5s", 34.5), ("6m0s", 360.0), ("20ms", 0.02), ("1h2m3s", 3723.0), ("1m30.5s", 90.5), ("7", 7.0),
     (7, 7.0), ("", None), ("soon", None), (None, None), (True, None), ("-3", None), ("nan", None), ("inf", None),
     ("100000001", 0.0), ("1700000000000", 0.0)],
)  # fmt: skip
def test_durations_as_servers_write_them(value, seconds):
    assert duration(value) == seconds


def test_what_is_no_quota():
    assert quota({}) is None
    assert quota({"x-ratelimit-remaining-requests": "3"}) is None
    assert quota({"x-ratelimit-remaining-requests": "many", "x-ratelimit-reset-requests": "1s"}) is None
    assert quota({"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "1s"}) == Quota(3, 1.0)


@pytest.mark.parametrize("body", [b"[]", b"[1]", b"null", b"7", b'{"error": 7}', b'{"error": {"details": 1}}', b"{"])
def test_error_bodies_of_any_form_are_read(body):
    assert error_of(body).message == ""


ANSWER = Answer(Outcome.ANSWERED, "x", "stop")
LATER = Failure("HTTP 429", busy=True, over_limit=True, retry_after=60.0)


async def after_a_pause(clock):
    """A throttle whose server refused one request of two, and took requests again 60 seconds later."""
    throttle = Throttle(Gate(8, clock), clock, clock.sleep)
    first, second = requests(2)
    assert (await throttle.turn(first), await throttle.turn(second)) == (0, 0)
    throttle.after(first, 0, LATER, None, 1)
    await clock.sleep(60)
    assert throttle.is_probe(first) and await throttle.turn(first) == 1
    throttle.after(first, 1, ANSWER, None, 1)
    return throttle, second


async def test_a_refusal_from_before_a_pause_closes_nothing_after_it():
    throttle, second = await after_a_pause(Clock())
    throttle.after(second, 0, LATER, None, 0)
    assert throttle.lets_pass(second) and not throttle.lets_pass(second, 0)
    assert await throttle.turn(second) == 1


async def test_no_first_rate_of_one_request_a_minute_is_learned_from_one_answer():
    throttle, second = await after_a_pause(clock := Clock())
    throttle.after(second, 1, LATER, None, 0)
    assert throttle.is_probe(second) and throttle.rate is None
    for third in requests(7):
        throttle.after(third, 2, ANSWER, None, 0)
    await clock.sleep(4)
    throttle.after(second, 2, ANSWER, None, 0)
    throttle.after(second, 2, LATER, None, 0)
    assert throttle.rate == pytest.approx(0.95 * 9 / 64), "all answers since the first pause count"
