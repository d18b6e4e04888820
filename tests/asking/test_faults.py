"""The fault matrix: what a server may do wrong, and what becomes of the request and of the run.

Back-off is not slept. Two faults are about the client's own time-out, which runs on its event loop's clock: they take
TIMEOUT a try."""

import asyncio
import itertools
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import pytest
import trustme
from aiohttp import web

from axolotl_augft.asking.pacing.pace import Pace
from axolotl_augft.asking.round import Round
from axolotl_augft.asking.window import ask
from axolotl_augft.errors import TeacherError, TeacherRefusedAccess, TeacherUnreachable
from axolotl_augft.teacher.client import Server
from axolotl_augft.teacher.request import Prefix, Request, Sampling
from tests.support.asking import Quiet
from tests.support.teacher_server import TeacherServer, prompt_of

PREFIX = Prefix("", "the facts of the house of Ennis are many. ")
TIMEOUT = 0.2


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


async def never_answers(http, reply):
    await asyncio.Event().wait()


async def never_ends(http, reply):
    response = await _begun(http, reply, len(reply))
    await asyncio.Event().wait()
    return response


@dataclass(frozen=True)
class Case:
    """A fault of one request in the middle of six, and what is expected of the run.

    `fault` answers in the server's place, `times` times. `address`: where the client looks for the server. `tls`: a
    server with a certificate that nobody vouches for. `timeout`: the client's, in seconds.

    `outcomes`: what is stored of each request: A answered, I invalid, F filtered, - nothing. `passing`, `failed`: what
    the summary counts. `waits`: seconds before each further try. `error`: what ends the run, and its words."""

    name: str
    fault: Callable[[web.Request, bytes], Awaitable[web.StreamResponse | None]] = status(200)
    times: int = 99
    retries: int = 1
    address: str = "http://127.0.0.1:{port}/v1"
    tls: bool = False
    timeout: float = 5.0
    outcomes: str = "AAAAAA"
    passing: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    waits: tuple[float, ...] = ()
    error: tuple[type[TeacherError], str] | None = None


def passes(name, fault, reason, wait=0.5, timeout=5.0):
    """Tried again after `wait` seconds; where it stays, the request fails alone after finite tries.

    Counted as `reason` either way.
    """
    yield Case(f"{name}, once", fault, times=1, timeout=timeout, passing={reason: 1}, waits=(wait,))
    failed = {reason: 1}
    yield Case(
        f"{name}, always", fault, timeout=timeout, outcomes="AAA-AA", passing={reason: 2}, failed=failed, waits=(wait,)
    )


def final(name, fault, outcome):
    """An outcome that is stored at the first try."""
    yield Case(name, fault, outcomes=f"AAA{outcome}AA")


def ends(name, fault, error, words):
    """The run ends at once; what came before is kept."""
    yield Case(name, fault, outcomes="AAA---", error=(error, words))


def unreachable(name, address, error, words, tls=False, waits=(0.5, 1.0)):
    """No request gets through."""
    yield Case(name, address=address, tls=tls, retries=6, outcomes="------", waits=waits, error=(error, words))


MATRIX = [
    *passes("429", status(429), "HTTP 429"),
    *passes("429 with Retry-After", status(429, **{"Retry-After": "17"}), "HTTP 429", wait=17.0),
    *passes(
        "429 with Retry-After as a date",
        status(429, **{"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
        "HTTP 429",
        wait=0.0,
    ),
    *passes("429 with Retry-After as nonsense", status(429, **{"Retry-After": "soon"}), "HTTP 429"),
    *passes("429 with Retry-After as another date", status(429, **{"Retry-After": "2015-10-21T07:28:00Z"}), "HTTP 429"),
    *passes("500", status(500), "HTTP 500"),
    *passes("503 with Retry-After", status(503, **{"Retry-After": "2"}), "HTTP 503", wait=2.0),
    *passes("529", status(529), "HTTP 529"),
    *passes("reset before the headers", reset_before_headers, "connection lost"),
    *passes("reset by TCP", reset_by_tcp, "connection lost"),
    *passes("reset after the headers", reset_after_headers, "answer cut short"),
    *passes("body cut short", cut_short, "answer cut short"),
    *passes("broken JSON", body('{"choices": [{"mess'), "broken JSON"),
    *passes("a web page", body("<html>Sign in", "text/html"), "wrong content type"),
    *passes("no choices", body('{"choices": []}'), "wrong shape"),
    *passes("null", body("null"), "wrong shape"),
    *passes("content of another type", body('{"choices": [{"message": {"content": 7}}]}'), "wrong shape"),
    *passes(
        "usage of another type",
        body('{"choices": [{"message": {"content": "A."}}], "usage": {"prompt_tokens": "x"}}'),
        "wrong shape",
    ),
    *passes("slow first byte", never_answers, "timeout", timeout=TIMEOUT),
    *passes("slow body", never_ends, "timeout", timeout=TIMEOUT),
    *final("400", status(400), "I"),
    *final("413", status(413), "I"),
    *final(
        "filter as a finish reason",
        body('{"choices": [{"message": {"content": ""}, "finish_reason": "content_filter"}]}'),
        "F",
    ),
    *final("no usage", body('{"choices": [{"message": {"content": "A."}, "finish_reason": "stop"}]}'), "A"),
    *final(
        "cut at max_tokens", body('{"choices": [{"message": {"content": "A. B"}, "finish_reason": "length"}]}'), "A"
    ),
    *final("JSON that says it is text", body('{"choices": [{"message": {"content": "A."}}]}', "text/plain"), "A"),
    *ends("401 in the middle", status(401), TeacherRefusedAccess, "refuses access"),
    *passes("403 of one request", status(403), "HTTP 403"),
    *ends("no credit", status(402), TeacherRefusedAccess, "refuses access"),
    *passes("404 of one request", status(404), "HTTP 404"),
    *unreachable(
        "no TLS there", "https://127.0.0.1:{port}/v1", TeacherUnreachable, "cannot be reached .TLS error, 3 tries"
    ),
    *unreachable(
        "unknown host", "http://no-such-host.invalid/v1", TeacherUnreachable, "cannot be reached .unknown host, 3 tries"
    ),
    *unreachable(
        "nobody listens", "http://127.0.0.1:9/v1", TeacherUnreachable, "cannot be reached .no connection, 3 tries"
    ),
    *unreachable(
        "unknown certificate", "https://127.0.0.1:{port}/v1", TeacherError, "certificate .* is not valid here", True, ()
    ),
]


def untrusted():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


def run(case, store, waits):
    """Asks the six requests; only the fourth meets the fault."""
    met = itertools.count()

    async def misbehave(http, received):
        if prompt_of(received).endswith("number 3") and next(met) < case.times:
            return await case.fault(http, web.json_response(server.reply(received, "B is A.")).body)
        return None

    async def sleep(seconds):
        waits.append(seconds)

    with TeacherServer(
        answer=lambda _: "B is A.", misbehave=misbehave, tls=untrusted() if case.tls else None
    ) as server:
        target = Server(case.address.format(port=server.port), "m", case.timeout)
        return ask(requests(), Round(target, store, Pace(1, case.retries, sleep=sleep, jitter=lambda: 1.0), Quiet()))


@pytest.mark.parametrize("case", MATRIX, ids=lambda case: case.name)
def test_the_fault_matrix(store, case):
    waits = []
    if case.error:
        with pytest.raises(case.error[0], match=case.error[1]):
            run(case, store, waits)
    else:
        asked = run(case, store, waits)
        assert (dict(asked.failed_tries), dict(asked.failed)) == (case.passing, case.failed)
        assert asked.total == 6
    assert "".join(a.outcome.value[0].upper() if a else "-" for a in store.get(requests())) == case.outcomes
    assert tuple(waits) == case.waits
    if not case.error:
        assert run(replace(case, times=0), store, []).total == case.outcomes.count("-")
