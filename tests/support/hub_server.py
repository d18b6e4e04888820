"""A stand-in for the Hugging Face hub on 127.0.0.1: it takes a data set's files and remembers them."""

import base64
import json

from aiohttp import web

from tests.support.teacher_server import served


class HubServer:
    """`files` holds what was committed, `made` the data sets that were made; `status` refuses everything."""

    def __init__(self, status: int | None = None) -> None:
        self.status = status
        self.files: dict[str, bytes] = {}
        self.made: list[dict] = []
        self.tokens: list[str | None] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _handle(self, request: web.Request) -> web.Response:
        self.tokens.append(request.headers.get("Authorization"))
        body = await request.read()
        if self.status:
            return web.json_response({"error": "no"}, status=self.status)
        match request.path.rsplit("/", 2)[-2:]:
            case ["repos", "create"]:
                self.made.append(json.loads(body))
                made = self.made[-1]
                name = f"{made.get('organization', 'me')}/{made['name']}"
                return web.json_response({"url": f"{self.url}/datasets/{name}", "name": name})
            case ["preupload", _]:
                files = [{"path": f["path"], "uploadMode": "regular"} for f in json.loads(body)["files"]]
                return web.json_response({"files": [{**f, "shouldIgnore": False} for f in files]})
            case ["commit", _]:
                for line in map(json.loads, body.splitlines()):
                    if line["key"] == "file":
                        self.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
                return web.json_response({"commitUrl": f"{self.url}/datasets/me/x/commit/0", "commitOid": "0" * 40})
            case _:
                return web.json_response({"id": "me/x", "sha": "0" * 40, "siblings": []})

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._handle)
        return app

    def __enter__(self) -> "HubServer":
        self._serving = served(self._app)
        self.port = self._serving.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._serving.__exit__(None, None, None)
