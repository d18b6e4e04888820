"""The order in which statements are verified."""

from itertools import groupby

import pytest

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import NothingAccepted
from axolotl_augft.prepared import prepared
from axolotl_augft.stage import run_stage
from axolotl_augft.verifying import verifier
from tests.support.data import write_rows


def test_statements_about_the_same_documents_are_verified_one_after_the_other(cfg, tmp_path, teacher, monkeypatch):
    teacher.answer = lambda body: "A trace.\n\nConclusions:\n- The crane of hall 1 is older than the crane of hall 2."
    texts = [f"{'Pump valve hose tide' if i % 2 else 'Crane ship mill oven'} number {i}." for i in range(8)]
    rows = write_rows(tmp_path / "halls.jsonl", [{"text": text} for text in texts])
    cfg["datasets"] = [{"path": str(rows), "ds_type": "json", "type": "completion"}]
    cfg["augft"].update(augment=[{"strategy": "global", "context_tokens": 64}], verify="teacher")
    monkeypatch.setattr(verifier, "_WINDOW", 1)
    recipe = Recipe.from_cfg(cfg)
    with pytest.raises(NothingAccepted, match="unverified"):
        run_stage(recipe)
    with prepared(recipe) as ready:
        asked = next(r for r in ready.verification().rounds() if r.title == "verification").requests()
        prefixes = [r.prefix.text for r in asked if sum(text in r.prefix.text for text in texts) > 1]
    assert len([*groupby(prefixes)]) == len({*prefixes}) > 1
