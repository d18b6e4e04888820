"""What a Batch API may send: no redirect is followed, and no body is read beyond what its requests allow."""

import zlib
from dataclasses import dataclass

import pytest
from aiohttp import web

from axolotl_augft.errors import TeacherError, TeacherUnreachable
from tests.support.batch_asking import nothing_is_left, requests, run
from tests.support.batch_server import BatchServer
from tests.support.teacher_server import TeacherServer

CALLS = {
    "upload": ("POST", "/v1/files"),
    "create": ("POST", "/v1/batches"),
    "look": ("GET", "/v1/batches/batch_0"),
    "results": ("GET", "/v1/files/file-1/content"),
}


@dataclass
class Instead(BatchServer):
    """Answers one of the calls by `handler`, which may return None to let it pass."""

    call: str = ""
    handler: object = None

    def routes(self, app):
        super().routes(app)

        @web.middleware
        async def instead(http, handler):
            mine = (http.method, http.path) == CALLS[self.call]
            return (await self.handler(http) if mine else None) or await handler(http)

        app.middlewares.append(instead)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [301, 303, 307])
def test_a_redirect_of_any_call_is_refused_and_its_target_named(store, call, status):
    async def elsewhere(http):
        return web.Response(status=status, headers={"Location": f"http://u:p@127.0.0.1:{thief.port}/v1/x?key=s"})

    with Caught() as thief, Instead(answer=lambda _: "A.", call=call, handler=elsewhere) as server:
        with pytest.raises(TeacherError, match=rf"redirects to http://127.0.0.1:{thief.port}/v1/x \(HTTP {status}\)"):
            run(server, requests(3), store)
    assert thief.paths == []


class Caught(TeacherServer):
    """Notes every request, whatever its path."""

    def routes(self, app):
        self.paths = []

        @web.middleware
        async def note(http, handler):
            self.paths.append(http.path)
            return web.json_response({})

        app.middlewares.append(note)


def endless(kind, status, parts=1500):
    async def handler(http):
        headers = {"Content-Encoding": "gzip"} if kind == "gzip bomb" else {}
        response = web.StreamResponse(status=status, headers=headers)
        response.content_type = "application/json"
        await response.prepare(http)
        packer = zlib.compressobj(wbits=31)
        for number in range(parts):
            sent.append(number)
            part = b" " * (1 << 16)
            await response.write(packer.compress(part) + packer.flush(zlib.Z_SYNC_FLUSH) if headers else part)
        return response

    sent = []
    handler.sent = sent
    return handler


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(("kind", "status"), [("plain", 200), ("gzip bomb", 200), ("plain", 500)])
def test_a_body_without_end_ends_the_run(store, call, kind, status):
    with Instead(answer=lambda _: "A.", call=call, handler=endless(kind, status)) as server:
        with pytest.raises(TeacherError, match=r"sends more than [\d,]+ bytes where no answer can have as many"):
            run(server, requests(3), store)
    if kind == "plain":
        assert len(server.handler.sent) < 500


def test_results_may_be_as_long_as_their_requests_allow(store):
    with BatchServer(answer=lambda _: "ä" * 600) as server:
        assert run(server, requests(400), store).answered == 400
    assert nothing_is_left(store)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_compressed_results_are_read(store, encoding):
    async def packed(http):
        packer = zlib.compressobj(wbits={"gzip": 31, "deflate": 15}[encoding])
        data = packer.compress(server.files["file-1"]) + packer.flush()
        return web.Response(body=data, headers={"Content-Encoding": encoding})

    with Instead(answer=lambda _: "A.", call="results", handler=packed) as server:
        assert run(server, requests(3), store).answered == 3


@pytest.mark.parametrize("encoding", ["br", "gzip"])
def test_an_encoding_that_cannot_be_read_is_a_failed_call(store, encoding):
    async def packed(http):
        return web.Response(body=b"no such thing", headers={"Content-Encoding": encoding})

    with Instead(answer=lambda _: "A.", call="look", handler=packed) as server:
        with pytest.raises(TeacherUnreachable, match=r"does not answer \(\w+, 3 tries\)"):
            run(server, requests(3), store)


JUNK = [
    *("", "null", "[]", "7", '"x"', "{}", "<html>", '{"id": 7}', '{"data": 5, "errors": 6}', '{"object": "list"}'),
    '{"id": "b", "status": 3, "request_counts": 5}',
    '{"id": "b", "status": "completed", "output_file_id": 7}',
    '{"id": "b", "status": "failed", "errors": {"data": [4]}}',
    '{"id": "b", "status": "failed", "errors": {"data": [{"code": 4}]}}',
    '{"id": null, "status": null, "request_counts": {}}',
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("junk", JUNK)
def test_no_body_of_any_call_is_more_than_one_line(store, call, status, junk):
    async def strange(http):
        return web.Response(text=junk, status=status, content_type="application/json")

    with Instead(answer=lambda _: "A.", call=call, handler=strange) as server:
        try:
            run(server, requests(2), store, retries=1, stop_after=6)
        except TeacherError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize("shown", [str, lambda key: "\u200b".join(key), lambda key: key[:-1]])
def test_a_code_does_not_repeat_the_key(store, shown, caplog):
    key = "sk-very-secret-0123456789"
    code = shown(key)

    async def refused(_):
        return web.json_response({"error": {"message": code, "code": code}}, status=400)

    async def failed(http):
        errors = {"data": [{"code": code, "message": code}]}
        return web.json_response({"id": "batch_0", "input_file_id": "file-0", "status": "failed", "errors": errors})

    for call, handler in (("create", refused), ("look", failed)):
        with Instead(answer=lambda _: "A.", call=call, handler=handler, key=key) as server:
            with pytest.raises(TeacherError) as caught:
                run(server, requests(2), store, key=key)
        assert "ecret" not in str(caught.value).replace("\u200b", "") and "ecret" not in caplog.text

    with BatchServer(key=key, line=lambda *_: {"code": code}) as server:
        assert set(run(server, requests(2), store, retries=0, key=key).failed) == {"batch: unknown"}
