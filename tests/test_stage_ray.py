"""The stage on a real Ray cluster of two nodes: the same result as in one process, and nothing lost with a node."""

import os
from pathlib import Path

import pytest
import ray.train.torch
import yaml
from axolotl.cli import train
from axolotl.utils.dict import DictDefault
from pytest_socket import socket_allow_hosts

from axolotl_augft.errors import ConfigError
from axolotl_augft.shards import workers
from tests.support.data import LOCAL_BY_DOCUMENT
from tests.support.launching import hook, load
from tests.support.teacher_server import TeacherServer
from tests.test_stage_workers import written

pytestmark = pytest.mark.slow


@pytest.fixture
def on_ray(cfg, cluster, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    # Ray's head listens at this machine's own address.
    socket_allow_hosts(["127.0.0.1", "localhost", "::1", cluster.address.split(":")[0]], allow_unix_socket=True)
    monkeypatch.setattr(workers, "AT_ONCE", 2)
    return {**cfg, "use_ray": True}


def test_the_stage_on_ray_writes_the_same_bytes(cfg, on_ray, tmp_path, teacher):
    augft = {"augment": ["local", "global"], "verify": "teacher", "max_augmented_per_original": 2}
    alone = written(cfg, tmp_path, "alone", **augft)
    asked = len(teacher.bodies)
    assert {"0-augmented.parquet", "manifest.json", "rejected.jsonl"} <= set(alone)
    assert written(on_ray, tmp_path, "ray", **augft) == alone
    assert len(teacher.bodies) == asked and not ray.is_initialized()


class _Training:
    """Stands for Ray's trainer, which wants GPUs: it does in another folder what axolotl's workers do first."""

    asked_before: int
    trained: DictDefault
    teacher: TeacherServer

    def __init__(self, loop, train_loop_config, **_):
        self.cfg = train_loop_config["cfg"]
        _Training.asked_before = len(self.teacher.bodies)

    def fit(self):
        os.chdir(self.cfg["output_dir"])
        _Training.trained = hook(load(DictDefault(self.cfg)))


def test_training_on_ray_asks_before_it_starts_and_its_workers_find_the_result(on_ray, tmp_path, teacher, monkeypatch):
    Path(on_ray["output_dir"]).mkdir()
    on_ray |= {"dataset_prepared_path": "prepared", "val_set_size": 1, "ray_num_workers": 1}
    on_ray["augft"] = {**on_ray["augft"], "augment": [LOCAL_BY_DOCUMENT]}
    (tmp_path / "cfg.yml").write_text(yaml.safe_dump(on_ray))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_Training, "teacher", teacher, raising=False)
    monkeypatch.setattr(ray.train.torch, "TorchTrainer", _Training)
    train.do_cli(str(tmp_path / "cfg.yml"))
    assert len(teacher.bodies) == _Training.asked_before > 0
    paths = [entry["path"] for entry in _Training.trained.datasets]
    assert any(path.startswith(f"{tmp_path}/prepared/augft/") for path in paths)
    assert _Training.trained.test_datasets[0]["path"].startswith(f"{tmp_path}/prepared/augft/")


def test_data_that_the_workers_would_not_find_is_refused_before_anything_is_asked(
    on_ray, data, tmp_path, teacher, monkeypatch
):
    on_ray["datasets"] = [{**on_ray["datasets"][0], "path": data.name}]
    (tmp_path / "cfg.yml").write_text(yaml.safe_dump(on_ray))
    monkeypatch.chdir(data.parent)
    with pytest.raises(ConfigError, match=f"^datasets names '{data.name}', but with use_ray the training runs"):
        train.do_cli(str(tmp_path / "cfg.yml"))
    assert teacher.bodies == []


def test_a_recipe_that_axolotl_refuses_asks_nothing(on_ray, tmp_path, teacher):
    (tmp_path / "cfg.yml").write_text(yaml.safe_dump({**on_ray, "lora_dropout": "much"}))
    with pytest.raises(ValueError, match="lora_dropout"):
        train.do_cli(str(tmp_path / "cfg.yml"))
    assert teacher.bodies == []


def test_a_node_that_is_lost_in_the_middle_costs_nothing(cfg, on_ray, cluster, tmp_path, teacher, monkeypatch):
    alone = written(cfg, tmp_path, "alone", augment=["local"])
    asked = len(teacher.bodies)
    (other,) = cluster.worker_nodes
    cut = workers.cut

    def until_lost(*arguments):
        for i, shard in enumerate(cut(*arguments)):
            if i == 2 and other in cluster.worker_nodes:
                cluster.remove_node(other, allow_graceful=False)
            yield shard

    monkeypatch.setattr(workers, "cut", until_lost)
    assert written(on_ray, tmp_path, "ray", augment=["local"]) == alone
    assert len(teacher.bodies) == asked and other not in cluster.worker_nodes
