"""Several servers of one model: which one a request goes to, and what happens when one of them fails."""

from dataclasses import dataclass, replace

import pytest
from aiohttp import web

from axolotl_augft.asking.pacing.lanes import Lane, Lanes
from axolotl_augft.asking.pacing.pace import Pace
from axolotl_augft.asking.round import Round
from axolotl_augft.asking.window import ask
from axolotl_augft.errors import TeacherError, TeacherUnreachable
from axolotl_augft.teacher.answer import Answer, Failure, Outcome
from axolotl_augft.teacher.client import Client, Server
from axolotl_augft.teacher.prompt_window import PromptWindow
from axolotl_augft.teacher.request import Prefix, Request, Sampling
from axolotl_augft.text.tokens import ESTIMATE
from tests.support.asking import Quiet
from tests.support.teacher_server import TeacherServer

SHORT = Prefix("", "the facts of the house of Ennis. ")
ANSWER = Answer(Outcome.ANSWERED, "yes")
PACE = Pace(4, 3, first_concurrency=4)


def request(target, prefix=SHORT):
    return Request("t", "chat", prefix, target, Sampling(0.0, None, 16, (), 1), 0)


def long_prefix(word):
    return Prefix("", f"{word} " * 3000)


def run(servers, some, store, pace=PACE, prompts=False):
    async def no_sleep(seconds):
        pass

    first, *further = (Server(s if isinstance(s, str) else s.base_url, "m", 5.0) for s in servers)
    pace = replace(pace, sleep=no_sleep, jitter=lambda: 1.0)
    known = PromptWindow(ESTIMATE) if prompts else None
    return ask(iter(some), Round(first, store, pace, Quiet(), prompts=known, further=tuple(further)))


@pytest.fixture
def two():
    with TeacherServer() as first, TeacherServer() as second:
        yield first, second


def lanes(*hosts):
    return Lanes([Lane(Client(Server(f"http://{host}/v1", "m", 5.0)), PACE) for host in hosts])


def sent(chosen, *requests):
    """Choose a server for each request, and send it there; the hosts."""
    hosts = []
    for one in requests:
        lane = chosen.choose(one)
        lane.gate._active += 1
        hosts.append(lane.client.host)
    return hosts


def test_requests_go_where_there_is_room():
    assert sent(lanes("a", "b"), *map(request, "12345")) == ["a", "b", "a", "b", "a"]


def test_requests_with_a_long_prefix_go_where_it_is_cached_until_another_server_would_idle():
    one, other = long_prefix("one"), long_prefix("other")
    assert sent(lanes("a", "b"), request("1", one), request("2", one), request("1", other), request("3", one)) == [
        *("a", "a", "b", "a"),
    ]
    # Four are in flight at `a`, which takes no more; `b` takes four too.
    assert sent(lanes("a", "b"), *(request(n, one) for n in "1234567")) == ["a", "a", "a", "a", "b", "b", "b"]
    busy = lanes("a", "b")
    sent(busy, *(request(n, one) for n in "1234"), *(request(n, other) for n in "123"))
    assert sent(busy, request("5", one)) == ["a"]


@pytest.mark.parametrize(
    ("results", "out"),
    [
        ([Failure("connection lost", unconnected=True)] * 2, False),
        ([Failure("connection lost", unconnected=True)] * 3, True),
        ([Failure("HTTP 500")] * 7, False),
        ([Failure("HTTP 500")] * 8, True),
        ([*[Failure("HTTP 500")] * 7, ANSWER, Failure("HTTP 500")], False),
        ([Failure("HTTP 429", busy=True, over_limit=True)] * 20, False),
    ],
)
def test_a_server_that_fails_in_a_row_is_left_out(results, out):
    some = lanes("a", "b")
    lane = some.choose(request("1"))
    assert [some.leaves_out(lane, result) for result in results] == [False] * (len(results) - 1) + [out]
    assert lane.is_out is out
    assert sent(some, *map(request, "1234")) == (["b"] * 4 if out else ["a", "b", "a", "b"])


def test_the_last_server_is_never_left_out():
    some = lanes("a")
    lane = some.choose(request("1"))
    assert not any(some.leaves_out(lane, Failure("HTTP 500")) for _ in range(20)) and not lane.is_out


def test_all_are_asked_and_every_request_once(two, store):
    counts = run(two, [request(f"number {n}") for n in range(40)], store)
    assert counts.answered == 40 and [len(server.bodies) > 10 for server in two] == [True, True]
    assert sum(len(server.bodies) for server in two) == 40


@pytest.mark.parametrize("place", [0, 1])
def test_a_server_that_is_down_is_left_out_and_said(two, store, caplog, place):
    servers = [two[0], two[0]]
    servers[place] = "http://127.0.0.1:1/v1"
    counts = run(servers, [request(f"number {n}") for n in range(40)], store)
    assert counts.answered == 40 and counts.failed.total() == 0
    (line,) = [r.getMessage() for r in caplog.records]
    assert line == (
        "augft: the teacher's server at http://127.0.0.1:1/v1 is left out for the rest of this round (no connection); "
        "the others go on"
    )


def test_a_server_that_breaks_in_the_middle_loses_nothing(two, store, caplog):
    async def breaks(_, body):
        return web.Response(status=500) if len(two[0].bodies) > 10 else None

    two[0].misbehave = breaks
    counts = run(two, [request(f"number {n}") for n in range(80)], store)
    assert counts.answered == 80 and counts.failed.total() == 0
    assert "left out" in caplog.text and 10 < len(two[0].bodies) < 30


def test_requests_that_wait_for_a_server_go_elsewhere_when_it_is_left_out(two, store):
    async def never(_, body):
        return web.Response(status=500)

    two[0].misbehave = never
    prefix = long_prefix("one")
    counts = run(two, [request(f"number {n}", prefix) for n in range(60)], store)
    assert counts.answered == 60 and len(two[1].bodies) == 60


def test_where_all_are_down_the_run_ends(store):
    with pytest.raises(TeacherUnreachable, match=r"at 127\.0\.0\.1:[12] cannot be reached \(no connection"):
        run(["http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1"], [request("1")], store)


@dataclass
class Listing(TeacherServer):
    """A server that lists its models."""

    models: tuple[str, ...] = ()
    window: int | None = None

    def routes(self, app):
        async def models(_):
            length = {"max_model_len": self.window} if self.window else {}
            return web.json_response({"data": [{"id": name, **length} for name in self.models]})

        app.router.add_get("/v1/models", models)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (("m",), ("m",), True),
        (("m", "a"), ("b", "m"), True),
        (("x",), ("x",), True),
        (("m",), ("x",), False),
        (("x",), ("y",), False),
    ],
)
def test_servers_of_different_models_are_refused(store, first, second, same):
    with Listing(models=first) as one, Listing(models=second) as other:
        if same:
            assert run([one, other], [request("1")], store, prompts=True).answered == 1
            return
        with pytest.raises(TeacherError, match="all must serve one: ") as caught:
            run([one, other], [request("1")], store, prompts=True)
        assert f"{one.base_url} has {first[0]}; {other.base_url} has {second[0]}" in str(caught.value)
        assert one.bodies == other.bodies == []


def test_the_smallest_window_holds(store):
    with Listing(models=("m",), window=4096) as one, Listing(models=("m",), window=20) as other:
        with pytest.raises(TeacherError, match="do not fit into the 20 tokens"):
            run([one, other], [request("1")], store, prompts=True)
