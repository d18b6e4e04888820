"""The fault matrix: what a server may do wrong, and what becomes of the request and of the run. Back-off is not slept."""

import asyncio
import socket
import ssl
import struct
from collections import Counter

import pytest
import trustme
from aiohttp import web
from teacher_server import TeacherServer, prompt_of

from axolotl_augft.answers import Outcome
from axolotl_augft.asking import ask
from axolotl_augft.client import Server
from axolotl_augft.errors import TeacherError, TeacherRefusedAccess, TeacherUnreachable
from axolotl_augft.pacing import Pace
from axolotl_augft.requests import Prefix, Request, Sampling
from axolotl_augft.store import ResponseStore

PREFIX = Prefix("", "the facts of the house of Ennis are many. ")
FAULTY = 3
TIMEOUT = 0.4


class Quiet:
    def update(self, asked):
        pass


def requests(n=6):
    return [Request("t", "chat", PREFIX, f"number {i}", Sampling(0.0, None, 16, (), 1), 0) for i in range(n)]


def status(code, **headers):
    async def fault(http, reply):
        return web.json_response({"error": {"message": "not now"}}, status=code, headers=headers)

    return fault


def body(text, content_type="application/json"):
    async def fault(http, reply):
        return web.Response(text=text, content_type=content_type)

    return fault


async def reset_before_headers(http, reply):
    http.transport.abort()
    await asyncio.sleep(0)
    return web.Response()


async def reset_by_tcp(http, reply):
    http.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    http.transport.abort()
    await asyncio.sleep(0)
    return web.Response()


async def _begun(http, reply, length):
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(length)})
    await response.prepare(http)
    await response.write(reply[: len(reply) // 2])
    return response


async def reset_after_headers(http, reply):
    response = await _begun(http, reply, len(reply))
    http.transport.abort()
    return response


async def cut_short(http, reply):
    response = await _begun(http, reply, len(reply))
    http.transport.close()
    return response


async def slow_first_byte(http, reply):
    await asyncio.sleep(5 * TIMEOUT)


async def slow_body(http, reply):
    response = await _begun(http, reply, len(reply))
    await asyncio.sleep(5 * TIMEOUT)
    return response


# fault -> the name it is counted by, and the wait before the next try.
PASSING = {
    "429": (status(429), "HTTP 429", 0.5),
    "429 with Retry-After": (status(429, **{"Retry-After": "17"}), "HTTP 429", 17.0),
    "429 with Retry-After as a date": (status(429, **{"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), "HTTP 429", 0.0),
    "429 with Retry-After as nonsense": (status(429, **{"Retry-After": "soon"}), "HTTP 429", 0.5),
    "429 with Retry-After as another date": (status(429, **{"Retry-After": "2015-10-21T07:28:00Z"}), "HTTP 429", 0.5),
    "500": (status(500), "HTTP 500", 0.5),
    "503 with Retry-After": (status(503, **{"Retry-After": "2"}), "HTTP 503", 2.0),
    "529": (status(529), "HTTP 529", 0.5),
    "reset before the headers": (reset_before_headers, "connection lost", 0.5),
    "reset by TCP": (reset_by_tcp, "connection lost", 0.5),
    "reset after the headers": (reset_after_headers, "answer cut short", 0.5),
    "body cut short": (cut_short, "answer cut short", 0.5),
    "broken JSON": (body('{"choices": [{"mess'), "broken JSON", 0.5),
    "a web page": (body("<html>Sign in", "text/html"), "wrong content type", 0.5),
    "no choices": (body('{"choices": []}'), "wrong shape", 0.5),
    "null": (body("null"), "wrong shape", 0.5),
    "content of another type": (body('{"choices": [{"message": {"content": 7}}]}'), "wrong shape", 0.5),
    "usage of another type": (body('{"choices": [{"message": {"content": "A."}}], "usage": {"prompt_tokens": "x"}}'), "wrong shape", 0.5),
    "slow first byte": (slow_first_byte, "timeout", 0.5),
    "slow body": (slow_body, "timeout", 0.5),
}
# fault -> the outcome that is stored.
FINAL = {
    "400": (status(400), Outcome.INVALID),
    "413": (status(413), Outcome.INVALID),
    "filter as a finish reason": (body('{"choices": [{"message": {"content": ""}, "finish_reason": "content_filter"}]}'), Outcome.FILTERED),
    "empty content": (body('{"choices": [{"message": {"content": ""}, "finish_reason": "stop"}]}'), Outcome.ANSWERED),
    "no usage": (body('{"choices": [{"message": {"content": "A."}, "finish_reason": "stop"}]}'), Outcome.ANSWERED),
    "cut at max_tokens": (body('{"choices": [{"message": {"content": "A. B"}, "finish_reason": "length"}]}'), Outcome.ANSWERED),
    "JSON that says it is text": (body('{"choices": [{"message": {"content": "A."}}]}', "text/plain"), Outcome.ANSWERED),
}
# fault -> what ends the run.
ENDING = {
    "401": (status(401), TeacherRefusedAccess, "refuses access"),
    "403": (status(403), TeacherRefusedAccess, "refuses access"),
    "404": (status(404), TeacherError, "does not know model"),
    "no credit": (status(402), TeacherRefusedAccess, "refuses access"),
}


class Run:
    """Asks six requests of a server that fails one of them so many times."""

    def __init__(self, store, fault, times, retries=3):
        tried = Counter()

        async def misbehave(http, received):
            prompt = prompt_of(received)
            tried[prompt] += 1
            if prompt.endswith(f"number {FAULTY}") and tried[prompt] <= times:
                return await fault(http, reply(received))
            return None

        def reply(received):
            return web.json_response(server.reply(received, "B is A.")).body

        self.waits = []
        self.store = store
        server = TeacherServer(answer=lambda _: "B is A.", misbehave=misbehave)
        with server:
            pace = Pace(1, retries, sleep=self._sleep, jitter=lambda: 1.0)
            try:
                self.asked = ask(iter(requests()), Server(server.base_url, "m", TIMEOUT), store, pace, Quiet())
            finally:
                self.tries = tried

    async def _sleep(self, seconds):
        self.waits.append(seconds)

    @property
    def stored(self):
        return [a.outcome if a else None for a in self.store.get(requests())]


@pytest.fixture
def store(tmp_path):
    with ResponseStore.opened(tmp_path / "s") as opened:
        yield opened


@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_is_tried_again_and_counted(store, fault):
    misbehave, reason, wait = PASSING[fault]
    run = Run(store, misbehave, times=1)
    assert run.stored == [Outcome.ANSWERED] * 6
    assert (run.asked.answered, dict(run.asked.passing), dict(run.asked.failed)) == (6, {reason: 1}, {})
    assert run.waits == [wait]


@pytest.mark.parametrize("fault", PASSING)
def test_what_does_not_pass_fails_alone_after_finite_tries(store, fault):
    misbehave, reason, wait = PASSING[fault]
    run = Run(store, misbehave, times=99, retries=1)
    assert run.stored == [None if i == FAULTY else Outcome.ANSWERED for i in range(6)]
    assert (run.asked.answered, dict(run.asked.passing), dict(run.asked.failed)) == (5, {reason: 2}, {reason: 1})
    assert run.tries[PREFIX.text + f"number {FAULTY}"] == 2 and run.waits == [wait]


@pytest.mark.parametrize("fault", FINAL)
def test_what_is_final_is_stored_and_not_asked_again(store, fault):
    misbehave, outcome = FINAL[fault]
    run = Run(store, misbehave, times=99)
    assert run.stored == [outcome if i == FAULTY else Outcome.ANSWERED for i in range(6)]
    assert run.asked.total == 6 and not run.asked.passing and run.waits == []
    assert Run(store, misbehave, times=99).asked.total == 0


@pytest.mark.parametrize("fault", ENDING)
def test_what_cannot_pass_ends_the_run_and_keeps_what_came(store, fault):
    misbehave, error, words = ENDING[fault]
    with pytest.raises(error, match=words):
        Run(store, misbehave, times=99)
    assert store.get(requests())[:FAULTY] == store.get(requests(FAULTY)) and None not in store.get(requests(FAULTY))
    assert store.get(requests())[FAULTY:] == [None] * 3


@pytest.mark.parametrize(
    ("address", "error", "words"),
    [
        ("https://127.0.0.1:{port}/v1", TeacherUnreachable, "cannot be reached .TLS error, 3 tries"),
        ("http://no-such-host.invalid/v1", TeacherUnreachable, "cannot be reached .unknown host, 3 tries"),
        ("http://127.0.0.1:9/v1", TeacherUnreachable, "cannot be reached .no connection, 3 tries"),
    ],
)
def test_a_wrong_address_is_said_soon(store, address, error, words):
    async def sleep(seconds):
        pass

    with TeacherServer() as server, pytest.raises(error, match=words):
        ask(requests(), Server(address.format(port=server.port), "m", 5.0), store, Pace(4, 6, sleep=sleep), Quiet())
    assert store.is_empty


def test_a_certificate_that_nobody_vouches_for_ends_the_run(store):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    with TeacherServer(tls=tls) as server, pytest.raises(TeacherError, match="certificate of the teacher's server .* is not valid here"):
        ask(requests(), Server(f"https://127.0.0.1:{server.port}/v1", "m", 5.0), store, Pace(4, 6), Quiet())
