"""Shared fixtures. The network is off but for 127.0.0.1; nothing is downloaded and nothing is reported."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["AXOLOTL_DO_NOT_TRACK"] = "1"
os.environ["DO_NOT_TRACK"] = "1"

from axolotl_augft.store.responses import ResponseStore
from tests.support.data import TEXTS, write_rows
from tests.support.ray_nodes import ray_nodes
from tests.support.teacher_server import TeacherServer
from tests.support.tiny_model import make_tiny_model


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def teacher() -> Iterator[TeacherServer]:
    with TeacherServer() as server:
        yield server


@pytest.fixture(scope="module")
def cluster() -> Iterator:
    """A Ray cluster of two nodes; a test may take one of them away."""
    with ray_nodes(2) as cluster:
        yield cluster


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ResponseStore]:
    with ResponseStore.opened(tmp_path / "s") as opened:
        yield opened


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "data.jsonl", [{"text": t, "n": i} for i, t in enumerate(TEXTS)])


@pytest.fixture
def cfg(tmp_path: Path, data: Path, tiny_model: Path, teacher: TeacherServer) -> dict:
    """A raw axolotl config on the tiny model, with the local server as teacher."""
    return {
        "base_model": str(tiny_model),
        "plugins": ["axolotl_augft.AugFTPlugin"],
        "augft": {"teacher": {"base_url": teacher.base_url, "model": "scripted", "api": "chat"}},
        "datasets": [{"path": str(data), "ds_type": "json", "type": "completion"}],
        "dataset_prepared_path": str(tmp_path / "prepared"),
        "output_dir": str(tmp_path / "out"),
        "sequence_len": 256,
        "micro_batch_size": 2,
        "gradient_accumulation_steps": 1,
        "num_epochs": 1,
        "max_steps": 2,
        "optimizer": "adamw_torch",
        "learning_rate": 1e-3,
        "lr_scheduler": "constant",
        "bf16": False,
        "fp16": False,
        "tf32": False,
        "attn_implementation": "sdpa",
        "save_strategy": "no",
        "special_tokens": {"pad_token": "<pad>"},
    }
