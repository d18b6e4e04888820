"""A proxy that the environment names is used for servers on other machines."""

import socketserver
import threading

import pytest
from aiohttp import web

from axolotl_augft.asking.pacing.pace import Pace
from axolotl_augft.asking.round import Round
from axolotl_augft.asking.window import ask
from axolotl_augft.errors import ConfigError, TeacherRefusedAccess
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.teacher.client import Server, proxy_for
from axolotl_augft.teacher.request import Prefix, Request, Sampling
from tests.support.asking import Quiet
from tests.support.teacher_server import TeacherServer

REQUEST = Request("t", "chat", Prefix("", "[1] A pump."), "", Sampling(0.0, None, 16, (), 1), 0)
ELSEWHERE = "http://teacher.invalid/v1"
NOBODY = "http://127.0.0.1:9"


async def at_once(seconds):
    pass


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def asked(base_url, tmp_path):
    with ResponseStore.opened(tmp_path / "s") as store:
        return ask([REQUEST], Round(Server(base_url, "m", 5.0), store, Pace(1, 0, sleep=at_once), Quiet()))


def answered(base_url, tmp_path):
    return asked(base_url, tmp_path).answered


class Tunnel:
    """A proxy that answers every CONNECT with one status."""

    def __init__(self, status):
        answer = b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status

        class Refusal(socketserver.BaseRequestHandler):
            def handle(self):
                self.request.recv(65536)
                self.request.sendall(answer)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusal)
        self.port = self._server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


def test_a_server_elsewhere_is_asked_through_the_proxy(monkeypatch, tmp_path):
    with TeacherServer() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://user:word@127.0.0.1:{proxy.port}")
        assert answered(ELSEWHERE, tmp_path) == 1
    assert proxy.headers[0]["Host"] == "teacher.invalid" and proxy.headers[0]["Proxy-Authorization"].startswith(
        "Basic "
    )


def test_no_proxy_excepts_a_server(monkeypatch, tmp_path):
    with TeacherServer() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "example.org,teacher.invalid")
        assert answered(ELSEWHERE, tmp_path) == 0
    assert proxy.bodies == []


@pytest.mark.parametrize(
    "base_url",
    [f"http://{h}:8000/v1" for h in ("127.0.0.1", "127.0.1.1", "localhost", "[::1]", "0.0.0.0", "box")]
    + ["https://box/v1"],
)
def test_addresses_that_need_no_proxy(base_url, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", NOBODY)
    monkeypatch.setenv("NO_PROXY", "box:8000")
    assert proxy_for(base_url) is None
    assert proxy_for("http://teacher.invalid:8000/v1") == NOBODY


async def wants_a_password(request, body):
    return web.Response(status=407)


def test_a_proxy_that_wants_a_password_ends_the_run_and_nothing_is_stored(monkeypatch, tmp_path):
    with TeacherServer(misbehave=wants_a_password) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://user:word@127.0.0.1:{proxy.port}")
        with pytest.raises(
            TeacherRefusedAccess, match=r"the proxy .* \(HTTP 407\); put them into the variable HTTP_PROXY"
        ) as caught:
            answered(ELSEWHERE, tmp_path)
    assert "word@" not in str(caught.value)
    with ResponseStore.opened(tmp_path / "s") as store:
        assert store.is_empty


@pytest.mark.parametrize(("status", "reason"), [(407, None), (502, "proxy: HTTP 502")])
def test_a_proxy_that_opens_no_tunnel(status, reason, monkeypatch, tmp_path):
    with Tunnel(status) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        if reason is None:
            with pytest.raises(TeacherRefusedAccess, match="HTTPS_PROXY"):
                answered(ELSEWHERE.replace("http:", "https:"), tmp_path)
        else:
            assert asked(ELSEWHERE.replace("http:", "https:"), tmp_path).failed == {reason: 1}


def test_a_proxy_that_is_not_there_is_said_to_be_the_proxy(monkeypatch, tmp_path):
    monkeypatch.setenv("HTTP_PROXY", NOBODY)
    assert asked(ELSEWHERE, tmp_path).failed == {"no connection to the proxy": 1}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_server_on_this_machine_is_asked_directly(host, monkeypatch, tmp_path):
    monkeypatch.setenv("HTTP_PROXY", NOBODY)
    with TeacherServer() as server:
        assert answered(f"http://{host}:{server.port}/v1", tmp_path) == 1


def test_what_netrc_holds_for_the_host_is_not_sent(monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine teacher.invalid login me password hidden\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with TeacherServer() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        assert answered(ELSEWHERE, tmp_path) == 1
    assert "Authorization" not in proxy.headers[0]


def test_a_proxy_of_another_kind_is_named_by_its_variable_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("HTTP_PROXY", "socks5://user:word@127.0.0.1:1080")
    with pytest.raises(
        ConfigError, match="the proxy in the variable HTTP_PROXY is not an http:// or https:// address"
    ) as caught:
        answered(ELSEWHERE, tmp_path)
    assert "word" not in str(caught.value)
