"""A local provider that adds `/v1/files` and `/v1/batches`, kept in memory, to the teacher server's endpoints.

A batch is done at once when it is looked at for the `looks`-th time; `fate` may give it another end, `line` another
result for a request."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from tests.support.teacher_server import TeacherServer


@dataclass
class Batch:
    id: str
    endpoint: str
    file_id: str
    content: bytes
    metadata: dict
    looks: int
    status: str = "validating"
    output_file_id: str | None = None
    error_file_id: str | None = None
    codes: tuple[str, ...] = ()


Line = Callable[[str, dict], dict | None]


@dataclass
class BatchServer(TeacherServer):
    """`fate(batch, requests)`: the end of a batch: completed, expired, failed, cancelled, or None: still in progress.

    `line(custom_id, body)`: the result of one request in place of an answer: {"status_code", "body"} or {"code"}; {}
    for none. `refuse_create`: HTTP statuses that creating a batch answers first, after having made it if the status is
    500. `cut`: downloads that end early. `without_results`, `behind`: as many look-ups of a file, or a batch, say that
    there is none. `deleting`: the HTTP status of a deletion; a file is gone only after 200, and the answer with 202 is
    no JSON. `paid`: the custom ids of the requests that were worked on, each as often as that was done."""

    fate: Callable[[Batch, list[dict]], str | None] = lambda batch, requests: "completed"
    line: Line = lambda custom_id, body: None
    looks: int = 1
    refuse_create: list[int] = field(default_factory=list)
    codes: tuple[str, ...] = ()
    cut: int = 0
    without_results: int = 0
    deleting: int = 200
    uploads: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, Batch] = field(default_factory=dict)
    behind: int = 0
    asked: list[str] = field(default_factory=list)
    paid: list[str] = field(default_factory=list)

    def routes(self, app: web.Application) -> None:
        app.router.add_post("/v1/files", self._upload)
        app.router.add_get("/v1/files/{id}/content", self._content)
        app.router.add_delete("/v1/files/{id}", self._delete)
        app.router.add_post("/v1/batches", self._create)
        app.router.add_get("/v1/batches", self._list)
        app.router.add_get("/v1/batches/{id}", self._retrieve)

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        assert form["purpose"] == "batch"
        return web.json_response(self._kept(form["file"].file.read()))

    def _kept(self, content: bytes) -> dict:
        file_id = f"file-{self.uploads}"
        self.uploads += 1
        self.files[file_id] = content
        return {
            "id": file_id,
            "object": "file",
            "bytes": len(content),
            "created_at": 1,
            "filename": "f",
            "purpose": "batch",
            "status": "processed",
        }

    async def _content(self, request: web.Request) -> web.StreamResponse:
        content = self.files.get(request.match_info["id"])
        if content is None or self.without_results:
            self.without_results -= bool(self.without_results)
            return web.json_response({"error": {"message": "no such file"}}, status=404)
        if not self.cut:
            return web.Response(body=content)
        self.cut -= 1
        response = web.StreamResponse(headers={"Content-Length": str(len(content))})
        await response.prepare(request)
        await response.write(content[: len(content) // 2])
        request.transport.close()
        return response

    async def _delete(self, request: web.Request) -> web.Response:
        if self.deleting == 202:
            return web.Response(text="{", content_type="application/json", status=202)
        if self.deleting != 200:
            return web.json_response({"error": {"message": "no"}}, status=self.deleting)
        file_id = request.match_info["id"]
        del self.files[file_id]
        return web.json_response({"id": file_id, "object": "file", "deleted": True})

    async def _create(self, request: web.Request) -> web.Response:
        if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
            return web.json_response({"error": {"message": "wrong key", "code": "invalid_api_key"}}, status=401)
        body = await request.json()
        assert body["completion_window"] == "24h"
        status = self.refuse_create.pop(0) if self.refuse_create else None
        if status and status != 500:
            return web.json_response({"error": {"message": "no", "code": "some_code"}}, status=status)
        file_id = body["input_file_id"]
        metadata = body.get("metadata") or {}
        batch = Batch(
            f"batch_{len(self.batches)}", body["endpoint"], file_id, self.files[file_id], metadata, self.looks
        )
        self.batches[batch.id] = batch
        return web.json_response({"error": "lost"}, status=500) if status else web.json_response(self._shown(batch))

    async def _list(self, _: web.Request) -> web.Response:
        data = [self._shown(b) for b in reversed(self.batches.values())]
        return web.json_response({"object": "list", "data": data, "has_more": False})

    async def _retrieve(self, request: web.Request) -> web.Response:
        batch = self.batches.get(request.match_info["id"])
        if batch is None or self.behind:
            self.behind -= bool(self.behind)
            return web.json_response({"error": {"message": "no such batch"}}, status=404)
        batch.looks -= 1
        if batch.looks <= 0 and batch.status in ("validating", "in_progress"):
            self._end(batch)
        return web.json_response(self._shown(batch))

    def requests_of(self, batch: Batch) -> list[dict]:
        return [json.loads(line) for line in batch.content.splitlines()]

    def work(self) -> None:
        """Ends every batch, as a provider does whether or not anybody looks."""
        for batch in self.batches.values():
            if batch.status in ("validating", "in_progress"):
                self._end(batch)

    def _end(self, batch: Batch) -> None:
        requests = self.requests_of(batch)
        ids = [r["custom_id"] for r in requests]
        assert len(ids) == len(set(ids)) and all(
            r["url"] == batch.endpoint and len(r["custom_id"]) <= 64 for r in requests
        )
        batch.status = self.fate(batch, requests) or "in_progress"
        if batch.status == "failed":
            batch.codes = self.codes
        if batch.status in ("completed", "expired", "cancelled"):
            good, bad = [], []
            for r in requests:
                self.asked.append(r["custom_id"])
                own = self.line(r["custom_id"], r["body"])
                if own is None or own.get("status_code") == 200:
                    self.paid.append(r["custom_id"])
                if own is None:
                    response = {
                        "status_code": 200,
                        "request_id": "x",
                        "body": self.reply(r["body"], self.answer(r["body"])),
                    }
                    good.append({"id": "x", "custom_id": r["custom_id"], "response": response, "error": None})
                elif "code" in own:
                    bad.append(
                        {
                            "id": "x",
                            "custom_id": r["custom_id"],
                            "response": None,
                            "error": {"code": own["code"], "message": "m"},
                        }
                    )
                elif own:
                    bad.append({"id": "x", "custom_id": r["custom_id"], "response": own, "error": None})
            batch.output_file_id = self._lines(good[::-1])
            batch.error_file_id = self._lines(bad)

    def _lines(self, rows: list[dict]) -> str | None:
        return self._kept("".join(json.dumps(r) + "\n" for r in rows).encode())["id"] if rows else None

    def _shown(self, batch: Batch) -> dict:
        errors = (
            {"object": "list", "data": [{"code": c, "message": "m", "line": 1} for c in batch.codes]}
            if batch.codes
            else None
        )
        return {
            "id": batch.id,
            "object": "batch",
            "endpoint": batch.endpoint,
            "input_file_id": batch.file_id,
            "status": batch.status,
            "completion_window": "24h",
            "created_at": 1,
            "metadata": batch.metadata,
            "errors": errors,
            "output_file_id": batch.output_file_id,
            "error_file_id": batch.error_file_id,
            "request_counts": {"total": 1, "completed": 0, "failed": 0},
        }
