"""The whole way: a teacher made of an entailment model, its server in a process of its own, and our client."""

import asyncio
import json
import math
import os
import signal
import sys
import time
from dataclasses import replace

import aiohttp
import psutil
import pytest

from axolotl_augft.config.teacher import TeacherConfig
from axolotl_augft.errors import TeacherServerFailed
from axolotl_augft.files.fingerprints import model_files, stamp_files
from axolotl_augft.teacher.answer import Answer, Outcome
from axolotl_augft.teacher.bodies import ServedModels
from axolotl_augft.teacher.client import Client, open_session
from axolotl_augft.teacher.entailment.pair import closed, opened
from axolotl_augft.teacher.entailment.settings import EntailmentModel
from axolotl_augft.teacher.request import Prefix
from axolotl_augft.teacher.serving.servers import BACKENDS
from axolotl_augft.teacher.serving.session import TeacherSession
from axolotl_augft.teacher.teacher import entailment_teacher
from tests.support.tiny_entailment import make_classifier

NLI = ("contradiction", "entailment", "neutral")
STATEMENTS = ["The gull street building is older.", "Mara Quell leads.", "no", "The mill house is older."]
PREMISE = 'The mill house is older than the "gull street" building. ' * 12


def verifier(model, **settings):
    return entailment_teacher(
        EntailmentModel(str(model), device="cpu", **settings), TeacherConfig(start_timeout=120), []
    )


def request(teacher, prefix, statement):
    return teacher.request(prefix, closed(statement), 1, (), extra={"logprobs": 5})


def ours(marker):
    return [p for p in psutil.process_iter(["cmdline"]) if marker in (p.info["cmdline"] or [])]


async def ask_all(server, requests):
    async with open_session(server) as session:
        client = Client(server, session)
        assert await client.models() == ServedModels(frozenset([server.model]), None)
        return await asyncio.gather(*map(client.send, requests))


async def ask_directly(server, request):
    headers = {"Authorization": f"Bearer {server.api_key}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.post(f"{server.base_url}/completions", json=request.body(server.model)) as response:
            return (await response.json())["choices"][0]["logprobs"]["top_logprobs"][0]


@pytest.mark.slow
def test_statements_are_judged_in_a_process_of_its_own(tmp_path):
    from axolotl_augft.teacher.entailment.loading import load
    from axolotl_augft.teacher.entailment.pair import Pair

    folder = make_classifier(tmp_path / "model", NLI)
    log, prefix = tmp_path / "logs" / "entailment.log", Prefix("", opened(PREMISE))
    teacher = verifier(folder)
    requests = [request(teacher, prefix, statement) for statement in STATEMENTS]
    wrong = teacher.request(prefix, closed("no " * 100), 1, ())
    with TeacherSession(teacher, log) as session:
        server = session.open().server
        (process,) = ours(str(folder))
        answers = asyncio.run(ask_all(server, [*requests, wrong]))
        logs = [asyncio.run(ask_directly(server, one)) for one in requests]
        assert process.environ()["AUGFT_SERVER_KEY"] == server.api_key
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    scores = load(EntailmentModel(str(folder), device="cpu")).score([Pair(PREMISE, s) for s in STATEMENTS])
    assert [found[" yes"] for found in logs] == pytest.approx([score.follows for score in scores], abs=1e-5)
    words = [" yes" if score.follows > score.not_follows else " no" for score in scores]
    assert [replace(answer, first_token=None) for answer in answers[:-1]] == [
        Answer(Outcome.ANSWERED, word, "stop", score.tokens, None, 1) for word, score in zip(words, scores, strict=True)
    ]
    told = [{choice.token: choice.logprob for choice in answer.first_token} for answer in answers[:-1]]
    assert told == [pytest.approx(found, abs=1e-5) for found in logs]
    assert answers[-1].outcome is Outcome.INVALID and "too little room for its premise" in answers[-1].finish_reason
    assert all(math.exp(found[" yes"]) + math.exp(found[" no"]) == pytest.approx(1) for found in logs)
    assert PREMISE[:20] not in log.read_text()


@pytest.mark.slow
def test_a_server_that_is_killed_is_named(tmp_path):
    folder = make_classifier(tmp_path / "model", NLI)
    with TeacherSession(verifier(folder), tmp_path / "log") as session:
        opened_server = session.open()
        (process,) = ours(str(folder))
        os.kill(process.pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        with pytest.raises(TeacherServerFailed) as caught:
            while time.monotonic() < deadline:
                opened_server.check()
    assert str(caught.value) == (
        "the entailment model's server ended with exit code -9; every answer so far is stored; its log is "
        f"{tmp_path / 'log'}"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("labels", "error"),
    [
        (None, "are 0 'LABEL_0', 1 'LABEL_1', and none of them says that a statement follows; name that label"),
        ("gone", "is neither a folder with a config.json nor a model that can be downloaded from the hub"),
    ],
)
def test_a_model_that_cannot_be_used_is_one_line(tmp_path, labels, error):
    folder = tmp_path / "model"
    if labels != "gone":
        make_classifier(folder, labels)
    with TeacherSession(verifier(folder), tmp_path / "log") as session:
        with pytest.raises(TeacherServerFailed) as caught:
            session.open()
    assert error in str(caught.value) and "\n" not in str(caught.value) and "exit code" not in str(caught.value)


def test_the_command_holds_the_model_and_its_settings():
    teacher = verifier("org/m", label="1", template="{premise} token: {statement}", max_length=300)
    assert BACKENDS["entailment"].command(teacher, 8000) == [
        sys.executable, "-P", "-m", "axolotl_augft.teacher.entailment", "org/m", "--host", "127.0.0.1",
        "--port", "8000",
        "--label=1", "--template={premise} token: {statement}", "--max-length=300", "--device=cpu",
    ]  # fmt: skip


def test_the_id_names_what_changes_the_probabilities(tmp_path):
    price = {"input": 1, "output": 1}
    config = TeacherConfig(model="teacher", api_key_env="THE_KEY", timeout=7, max_concurrency=3, price=price)
    plain = entailment_teacher(EntailmentModel("org/m", device="cpu"), config, [])
    assert plain.id == "entailment-1 org/m" and plain.model == "org/m" and plain.backend == "entailment"
    assert entailment_teacher(EntailmentModel("org/m", "1"), config, []).id == "entailment-1 org/m label='1'"
    folder = make_classifier(tmp_path / "tiny", NLI)
    local = entailment_teacher(EntailmentModel(str(folder)), config, stamp_files(model_files(folder), {}))
    assert local.id.startswith("entailment-1 tiny@") and len(local.id) == len("entailment-1 tiny@") + 16
    # Time limits are the teacher's, its key is kept away, its money and rates are not this server's.
    own = plain.config
    assert (own.timeout, own.api_key_env, own.price, own.requests_per_minute) == (7, "THE_KEY", None, None)
    assert plain.max_concurrency == 256


def test_a_request_shares_its_premise_and_has_a_key_of_its_own():
    teacher = verifier("org/m")
    prefix = Prefix("", opened("A is b."))
    first, second = (request(teacher, prefix, statement) for statement in ("B is a.", "A is c."))
    assert first.prefix is second.prefix and first.key != second.key
    assert first.body("org/m") == {
        "prompt": '{"premise":"A is b.","statement":"B is a."}',
        "model": "org/m", "max_tokens": 1, "temperature": 0.0, "seed": 0, "logprobs": 5,
    }  # fmt: skip
    assert json.loads(first.body("m")["prompt"]) == {"premise": "A is b.", "statement": "B is a."}


def test_the_package_starts_the_server_without_torch():
    import subprocess

    code = (
        "import sys, axolotl_augft.teacher.serving.servers, axolotl_augft.teacher.entailment.server\n"
        "print(sorted({'torch', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n"
