"""An application of Ray Serve that answers like an OpenAI-compatible server, by a script, with two replicas.

Each answer is a line in the file that RAY_TEACHER_LOG names. The replica that gets the fifth request ends, once."""

import json
import os
import signal
from pathlib import Path

import psutil
from ray import serve
from starlette.requests import Request

from tests.support.teacher_server import scripted_answer

LETHAL = 5


@serve.deployment(num_replicas=2, ray_actor_options={"num_cpus": 0.1}, max_ongoing_requests=4)
class Teacher:
    def __init__(self, arguments: dict) -> None:
        self.model = arguments["model"]
        self.log = Path(os.environ["RAY_TEACHER_LOG"])
        (self.log.parent / "processes").touch()
        with (self.log.parent / "processes").open("a") as file:
            file.writelines(f"{pid}\n" for pid in _processes_of_ray())

    async def __call__(self, request: Request) -> dict:
        if request.url.path == "/v1/models":
            return {"object": "list", "data": [{"id": self.model, "object": "model"}]}
        body = await request.json()
        if self.log.exists() and len(self.log.read_text().splitlines()) >= LETHAL:
            self._die_once()
        with self.log.open("a") as file:
            file.write(json.dumps(body) + "\n")
        message = {"role": "assistant", "content": scripted_answer(body)}
        usage = {"prompt_tokens": 9, "completion_tokens": 9}
        return {"model": self.model, "choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}

    def _die_once(self) -> None:
        try:
            (self.log.parent / "killed").touch(exist_ok=False)
        except FileExistsError:
            return
        os.kill(os.getpid(), signal.SIGKILL)


def _processes_of_ray() -> list[int]:
    """Ids of the program that started the cluster, and of all that it has started, this process among them."""
    program = next(p for p in psutil.Process().parents() if any("ray_serve.py" in word for word in p.cmdline()))
    return [p.pid for p in (program, *program.children(recursive=True))]


def build(arguments: dict) -> serve.Application:
    return Teacher.bind(arguments)
