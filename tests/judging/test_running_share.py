"""The share of kept statements while the teacher is asked."""

import logging

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.prepared import prepared
from axolotl_augft.stage import run_stage
from tests.support.teacher_server import scripted_answer


def test_the_share_counts_what_is_answered(cfg, teacher, caplog):
    teacher.answer = lambda body: f"{scripted_answer(body)}\n[1] rephrasing: A tail without an end"
    cfg["augft"]["augment"] = ["local"]
    with prepared(Recipe.from_cfg(cfg)) as ready:
        share = ready.running_share()
        assert share.note() == ""
        assert list(share.requests()) == list(ready.requests()) and share.note() == ""
    with caplog.at_level(logging.INFO, "axolotl_augft"):
        run_stage(Recipe.from_cfg(cfg))
    (line,) = [m for m in caplog.messages if m.startswith("augft: augmentation: 9 of 9 requests")]
    assert line.endswith(", 67% of statements kept so far")
    with prepared(Recipe.from_cfg(cfg)) as ready:
        share = ready.running_share()
        next(share.requests())
        assert share.note() == "67% of statements kept so far"
