"""The stage with worker processes: the same result as without, and nothing asked again after one is killed."""

import pytest

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import WorkerFailed
from axolotl_augft.output.manifest import result_folder
from axolotl_augft.shards import workers
from axolotl_augft.stage import run_stage
from tests.support import worker_calls
from tests.support.data import TEXTS, write_rows
from tests.support.exchange_data import ANSWER, QUESTION
from tests.support.teacher_server import prompt_of, scripted_answer

pytestmark = pytest.mark.slow


@pytest.fixture
def small_shards(monkeypatch):
    monkeypatch.setattr(workers, "AT_ONCE", 2)


def written(cfg, tmp_path, folder: str, **augft) -> dict[str, bytes]:
    own = {"output_dir": str(tmp_path / folder), "store": str(tmp_path / "store"), **augft}
    recipe = Recipe.from_cfg({**cfg, "augft": {**cfg["augft"], **own}})
    result = run_stage(recipe)
    return {f.name: f.read_bytes() for f in sorted(result_folder(recipe, result.fingerprint).iterdir())}


@pytest.mark.parametrize("more", [{}, {"verify": "teacher", "max_augmented_per_original": 2}, {"probe": {}}])
def test_any_number_of_workers_writes_the_same_bytes(cfg, tmp_path, teacher, small_shards, more):
    exchanges = [
        (QUESTION, ANSWER),
        ("Where does Mara Quell live?", "In the mill house."),
        ("Who rows?", "Bram Tollick."),
    ]
    chats = write_rows(
        tmp_path / "chats.jsonl", [{"instruction": asked, "input": "", "output": told} for asked, told in exchanges]
    )
    cfg["datasets"].append({"path": str(chats), "ds_type": "json", "type": "alpaca"})
    cfg["val_set_size"] = 1
    if "probe" in more:
        teacher.answer = lambda body: "Port Ennis" if "___" in prompt_of(body) else scripted_answer(body)
        more = {"probe": {"threshold": 0.5, "student": {**cfg["augft"]["teacher"], "model": "small"}}}
    sources = [{"path": str(chats), "augment": ["local"]}]
    augft = {"augment": ["local", "global", "cloze"], "sources": sources, **more}
    alone = written(cfg, tmp_path, "alone", **augft)
    asked = len(teacher.bodies)
    assert {"0-augmented.parquet", "1-augmented.parquet", "manifest.json", "rejected.jsonl"} <= set(alone)
    assert written(cfg, tmp_path, "two", workers=2, **augft) == alone
    assert len(teacher.bodies) == asked


def test_a_killed_worker_ends_the_run_in_one_line_and_nothing_is_asked_again(
    cfg, tmp_path, teacher, small_shards, monkeypatch
):
    with monkeypatch.context() as patched:
        patched.setattr(workers, "judge_shard", worker_calls.judged_until_killed)
        with pytest.raises(WorkerFailed, match="one of 2 worker processes ended unexpectedly, as if it was killed"):
            written(cfg, tmp_path, "out", augment=["local"], workers=2)
    asked = len(teacher.bodies)
    assert asked >= len(TEXTS) and not list((tmp_path / "out").glob(".writing-*"))
    assert written(cfg, tmp_path, "out", augment=["local"], workers=2)
    assert len(teacher.bodies) == asked
