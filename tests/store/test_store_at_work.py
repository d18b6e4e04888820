"""The store seen from outside: its size and use, pruning, two recipes on one store, readers beside a writer."""

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from click.testing import CliRunner

from axolotl_augft.cli.main import augft
from axolotl_augft.store.batches import BatchLedger
from axolotl_augft.store.lock import AskingLock
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.teacher.request import Prefix, Request, Sampling
from tests.support.data import LOCAL_BY_DOCUMENT, write_rows
from tests.support.teacher_server import prompt_of

ROOT = Path(__file__).parents[2]


def call(*args):
    return CliRunner().invoke(augft, list(args))


@pytest.fixture
def recipe(cfg, tmp_path):
    """Writes a recipe under a name, with keys of `augft` changed, all on one store."""
    cfg["augft"] |= {"augment": [LOCAL_BY_DOCUMENT], "store": str(tmp_path / "shared.sqlite")}

    def written(name, data=None, **augft_keys):
        own = {**cfg, "augft": {**cfg["augft"], **augft_keys}, "dataset_prepared_path": str(tmp_path / name)}
        if data:
            own["datasets"] = [{**cfg["datasets"][0], "path": str(data)}]
        path = tmp_path / f"{name}.yml"
        path.write_text(yaml.safe_dump(own))
        return str(path)

    return written


def test_two_recipes_share_one_store(recipe, teacher):
    assert call("run", recipe("one")).exit_code == 0 and len(teacher.bodies) == 6
    assert (
        call("run", recipe("two", repeat_augmented=2, max_augmented_per_original=1)).exit_code == 0
        and len(teacher.bodies) == 6
    )
    more = recipe("three", augment=[LOCAL_BY_DOCUMENT, {**LOCAL_BY_DOCUMENT, "kinds": ["reversal"]}])
    assert call("run", more).exit_code == 0 and len(teacher.bodies) == 12


def test_asking_again_leaves_another_recipes_outcomes(recipe, teacher, tmp_path):
    async def filtered(_, body):
        refused = any(name in prompt_of(body) for name in ("Cats are more", "Zinnwald"))
        return web.json_response({"error": {"code": "content_filter"}}, status=400) if refused else None

    teacher.misbehave = filtered
    other = recipe(
        "other",
        data=write_rows(
            tmp_path / "other.jsonl", [{"text": "No tram goes to Zinnwald."}, {"text": "Every mill has a wheel."}]
        ),
    )
    call("run", recipe("one"))
    call("run", other)
    asked = len(teacher.bodies)
    assert "forgot 1 stored outcomes" in call("run", other, "--ask-again", "filtered").output
    assert len(teacher.bodies) == asked + 1


RUN = """
import sys
sys.path[:0] = [{root!r}]
from axolotl_augft.cli.main import augft
augft(["run", {config!r}])
"""


def test_runs_of_two_processes_on_one_store_ask_each_request_once(recipe, teacher, tmp_path, caplog):
    waiting = f"augft: {tmp_path / 'shared.sqlite'}: another run that asks scripted is at work; waiting for it to end"
    begun = threading.Event()

    async def until_the_other_waits(_, body):
        begun.set()
        deadline = time.monotonic() + 300
        while waiting not in caplog.messages and time.monotonic() < deadline:
            await asyncio.sleep(0.01)

    teacher.misbehave = until_the_other_waits
    code = RUN.format(root=str(ROOT), config=recipe("one"))
    first = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL)
    assert begun.wait(300)
    second = call("run", recipe("two", repeat_augmented=2))
    assert (first.wait(300), second.exit_code) == (0, 0)
    assert caplog.messages.count(waiting) == 1 and len(teacher.bodies) == 6


def test_runs_that_ask_different_teachers_do_not_wait(recipe, teacher, cfg, tmp_path):
    with AskingLock(tmp_path / "shared.sqlite", "another teacher", 0) as other:
        other.wait()
        assert call("run", recipe("one", wait_timeout=1)).exit_code == 0


@pytest.mark.parametrize("command", ["run", "prune"])
def test_who_waits_too_long_says_for_what(command, recipe, teacher, tmp_path):
    call("run", recipe("one"))
    asked = len(teacher.bodies)
    changed = recipe("two", wait_timeout=1, augment=[{"strategy": "local", "samples": 2}])
    with AskingLock(tmp_path / "shared.sqlite", "scripted", 0) as other:
        other.wait()
        ended = call("run", changed) if command == "run" else call("store", "prune", changed)
    assert ended.exit_code == 1 and len(teacher.bodies) == asked
    assert (
        "shared.sqlite: another run that asks scripted has held its lock for 1 s (augft.wait_timeout)" in ended.output
    )


def test_a_run_that_has_nothing_to_ask_does_not_wait(recipe, teacher, tmp_path):
    call("run", recipe("one"))
    with AskingLock(tmp_path / "shared.sqlite", "scripted", 0) as other:
        other.wait()
        assert call("run", recipe("two", repeat_augmented=2, wait_timeout=1)).exit_code == 0


def test_while_a_run_augments_and_verifies_no_other_asks(recipe, teacher, tmp_path):
    free = []

    async def note(_, body):
        with AskingLock(tmp_path / "shared.sqlite", "scripted", 0) as other:
            free.append(other.try_acquire())

    teacher.misbehave = note
    call("run", recipe("one", verify="teacher"))
    assert len(free) > 6 and not any(free)


def test_a_round_that_failed_is_noted_with_what_it_asked(recipe, teacher, cfg):
    async def then_refused(_, body):
        return web.Response(status=401) if len(teacher.bodies) > 3 else None

    teacher.misbehave = then_refused
    cfg["augft"]["teacher"]["max_concurrency"] = 1
    assert call("run", recipe("one")).exit_code == 1
    assert "hit rate 0.0%: 0 of the 3 requests of 1 round were" in call("store", recipe("one")).output


def test_size_answers_and_hit_rate(recipe, cfg, tmp_path):
    missing = call("store", recipe("one"))
    assert missing.exit_code == 1 and "there is no response store at" in missing.output
    call(
        "run",
        recipe(
            "one",
            teacher={
                **yaml.safe_load(Path(recipe("one")).read_text())["augft"]["teacher"],
                "price": {"input": 1, "output": 1},
            },
        ),
    )
    call("run", recipe("two", repeat_augmented=2))
    lines = call("store", recipe("one")).output.splitlines()
    assert lines[0].startswith(f"store {tmp_path / 'shared.sqlite'}: ") and lines[0].endswith(" kB")
    assert lines[1] == "answers 6 (answered 6)"
    assert lines[3] == "hit rate 50.0%: 6 of the 12 requests of 2 rounds were answered from here"
    assert lines[4].startswith("the answers cost $0.00") and len(lines) == 5
    assert call("store", "show", recipe("one")).output.splitlines() == lines


def test_pruning_drops_what_no_recipe_needs_and_only_when_told_to(recipe, teacher, tmp_path):
    other = write_rows(
        tmp_path / "other.jsonl",
        [{"text": f"The {name} is a pump from Saltmere."} for name in ("Tern", "Knot", "Ruff")],
    )
    call("run", recipe("one"))
    call("run", recipe("two", data=other, verify="teacher"))
    asked = len(teacher.bodies)
    assert (
        call("store", "prune", recipe("one"), recipe("two", data=other, verify="teacher")).output
        == f"all {asked} answers are needed\n"
    )
    said = call("store", "prune", recipe("one")).output
    assert (
        said.startswith(f"not needed: {asked - 6} of {asked} answers (") and "cost not known); --yes drops them" in said
    )
    with ResponseStore.opened(tmp_path / "shared.sqlite") as store:
        assert store.rows("SELECT count(*) FROM responses") == [(asked,)]
        prefixes = store.rows("SELECT count(*) FROM prefixes")
    dropped = call("store", "prune", "--yes", recipe("one")).output.splitlines()
    assert dropped[0].startswith(f"dropped: {asked - 6} of {asked} answers") and " before, " in dropped[1]
    with ResponseStore.opened(tmp_path / "shared.sqlite") as store:
        assert (
            store.rows("SELECT count(*) FROM responses") == [(6,)]
            and store.rows("SELECT count(*) FROM prefixes") < prefixes
        )
    Path(tmp_path / "one" / "augft").rename(tmp_path / "away")
    assert call("run", recipe("one")).exit_code == 0 and len(teacher.bodies) == asked


def test_pruning_keeps_what_waits_in_a_batch(recipe, tmp_path):
    call("run", recipe("one"))
    waiting = Request("t", "chat", Prefix("be brief", "other facts"), "A.", Sampling(0.0, None, 9, (), 1), 0)
    with ResponseStore.opened(tmp_path / "shared.sqlite") as store:
        tag = BatchLedger(store, "h").begin([waiting])
    call("store", "prune", "--yes", recipe("two", augment=[{"strategy": "local", "kinds": ["reversal"]}]))
    with ResponseStore.opened(tmp_path / "shared.sqlite") as store:
        assert [r.key for r in BatchLedger(store, "h").requests(tag)] == [waiting.key]
        assert store.rows("SELECT count(*) FROM responses") == [(0,)]
    assert "batches without a result 1" in call("store", recipe("one")).output


def test_recipes_with_different_stores_are_not_pruned_together(recipe, tmp_path):
    result = call("store", "prune", "--yes", recipe("one"), recipe("two", store=str(tmp_path / "another.sqlite")))
    assert result.exit_code == 1 and "these recipes have 2 different stores" in result.output


def test_a_recipe_that_cannot_be_read_drops_nothing(recipe, tmp_path):
    call("run", recipe("one"))
    result = call(
        "store",
        "prune",
        "--yes",
        recipe("two", augment=[{"strategy": "local", "kinds": ["reversal"]}]),
        recipe("bad", data=tmp_path / "no"),
    )
    assert result.exit_code == 1
    with ResponseStore.opened(tmp_path / "shared.sqlite") as store:
        assert store.rows("SELECT count(*) FROM responses") == [(6,)]


WORKER = """
import sys, time
sys.path[:0] = [{here!r}]
from pathlib import Path
from axolotl_augft.teacher.answer import Answer, Outcome
from axolotl_augft.teacher.request import Prefix, Request, Sampling
from axolotl_augft.store.responses import ResponseStore

def request(i):
    return Request("t", "chat", Prefix("", "p" * 200), f"number {{i}}", Sampling(0.0, None, 9, (), 1), 0)

role, path = sys.argv[1], Path(sys.argv[2])
with ResponseStore.opened(path) as store:
    if role == "write":
        for i in range(0, {many}, 10):
            texts = {{j: f"answer {{j}} " + "x" * 500 for j in range(i, i + 10)}}
            store.put([(request(j), Answer(Outcome.ANSWERED, text, "stop", 1, None, j)) for j, text in texts.items()])
    else:
        known, looks = 0, 0
        while known < {many}:
            answers = store.get([request(j) for j in range(known, min(known + 200, {many}))])
            there = [a is not None for a in answers]
            assert there == sorted(there, reverse=True), "a later answer is there, an earlier one is not"
            assert sum(there) % 10 == 0, "a part of a transaction is seen"
            assert all(a.text.startswith(f"answer {{known + j}} ") for j, a in enumerate(answers) if a)
            known += sum(there)
            looks += 1
            if looks == 1:
                print("looking", flush=True)
        print(looks)
"""


def test_two_processes_read_while_one_writes(tmp_path):
    code = WORKER.format(here=str(ROOT), many=3000)
    with ResponseStore.opened(tmp_path / "s"):
        pass
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", code, "read", str(tmp_path / "s")], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    for reader in readers:
        assert reader.stdout.readline() == b"looking\n"
    writer = subprocess.run(
        [sys.executable, "-c", code, "write", str(tmp_path / "s")], capture_output=True, timeout=120
    )
    assert writer.returncode == 0, writer.stderr
    for reader in readers:
        out, err = reader.communicate(timeout=60)
        assert reader.returncode == 0, err
        assert int(out) > 15  # 3000 answers by 200, and a look that found none
