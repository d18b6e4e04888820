"""A proxy that the environment names is used for servers on other machines."""

import pytest
from teacher_server import TeacherServer

from axolotl_augft.asking import ask
from axolotl_augft.client import Server
from axolotl_augft.errors import ConfigError
from axolotl_augft.pacing import Pace
from axolotl_augft.requests import Prefix, Request, Sampling
from axolotl_augft.store import ResponseStore

REQUEST = Request("t", "chat", Prefix("", "[1] A pump."), "", Sampling(0.0, None, 16, (), 1), 0)
ELSEWHERE = "http://teacher.invalid/v1"
NOBODY = "http://127.0.0.1:9"


class Quiet:
    def update(self, asked):
        pass


async def at_once(seconds):
    pass


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def answered(base_url, tmp_path):
    with ResponseStore.opened(tmp_path / "s") as store:
        return ask([REQUEST], Server(base_url, "m", 5.0), store, Pace(1, 0, sleep=at_once), Quiet()).answered


def test_a_server_elsewhere_is_asked_through_the_proxy(monkeypatch, tmp_path):
    with TeacherServer() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://user:word@127.0.0.1:{proxy.port}")
        assert answered(ELSEWHERE, tmp_path) == 1
    assert proxy.headers[0]["Host"] == "teacher.invalid" and proxy.headers[0]["Proxy-Authorization"].startswith("Basic ")


def test_no_proxy_excepts_a_server(monkeypatch, tmp_path):
    with TeacherServer() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "example.org,teacher.invalid")
        assert answered(ELSEWHERE, tmp_path) == 0
    assert proxy.bodies == []


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
    with pytest.raises(ConfigError, match="the proxy of the variable HTTP_PROXY is no http:// address") as caught:
        answered(ELSEWHERE, tmp_path)
    assert "word" not in str(caught.value)
