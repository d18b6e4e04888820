"""What the page says before one trains."""

from dataclasses import replace

import pytest

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.output.manifest import Counts, Manifest
from axolotl_augft.report.figures import Figures
from axolotl_augft.report.run_figures import _warnings, run_figures
from axolotl_augft.verifying.records import Calibration, Coverage, Diversity, VerificationRecord

COUNTS = Counts(4, 8, {"local/reversal": 9}, {}, 0, 0, {}, {})
GOOD = Calibration("local", 0.8, 20, 9, 1.0, 0.95, 0.1, 50, 50, 0.97)


HARDLY = "The verifier hardly tells planted slips from true sentences (AUC 0.62; chance is 0.5)."
NO_CLAIM = "How many of the kept statements are true is not known (local: no precision is claimed, too few slips)."


@pytest.mark.parametrize(
    ("calibration", "said"),
    [
        (GOOD, []),
        (replace(GOOD, auc=0.62), [HARDLY]),
        (replace(GOOD, precision=None, because="too few slips"), [NO_CLAIM]),
    ],
)
def test_a_verifier_that_cannot_tell_is_named(cfg, calibration, said):
    record = VerificationRecord("judge", "logprobs", (calibration,))
    manifest = Manifest("", "t", (), COUNTS, Coverage(), Diversity(), True, record)
    found = _warnings(Recipe.from_cfg(cfg), manifest, Figures())
    assert [caution.text for caution in found] == said


NOT_VERIFIED = "Nothing says how probable these statements are: they were not verified (augft.verify)."


@pytest.mark.parametrize(
    ("verifying", "said"), [("", NOT_VERIFIED), ("4 of 32 asked", "The verification has not finished: 4 of 32 asked.")]
)
def test_a_verification_that_has_not_finished_is_not_taken_for_none(cfg, verifying, said):
    manifest = Manifest("", "t", (), COUNTS, Coverage(), Diversity(), True)
    told = run_figures(Recipe.from_cfg(cfg), "r", manifest, Figures(), [], verifying)
    assert [w["text"] for w in told["warnings"]] == [said]
    assert told["verification"] == ({"precision": None, "basis": verifying} if verifying else None)


@pytest.mark.parametrize(
    ("cut", "said"),
    [
        (1, "1 statement is lost because its answer was cut at max_tokens."),
        (2, "2 statements are lost because their answers were cut at max_tokens."),
    ],
)
def test_statements_lost_at_max_tokens_are_counted_whichever_run_asked_for_them(cfg, cut, said):
    record = VerificationRecord("judge", "logprobs", (GOOD,))
    manifest = Manifest("", "t", (), COUNTS, Coverage(), Diversity(), True, record)
    (caution,) = _warnings(Recipe.from_cfg(cfg), manifest, Figures(reasons={"truncated": cut}))
    assert (caution.text, caution.show) == (said, "truncated")


@pytest.mark.parametrize(
    ("unusable", "said"),
    [
        ({}, []),
        ({"proposals": 1}, ["Of what the teacher was asked for before its texts, 1 line is missing or unusable."]),
        (
            {"proposals": 1, "questions": 2},
            ["Of what the teacher was asked for before its texts, 3 lines are missing or unusable."],
        ),
    ],
)
def test_questions_and_proposals_that_could_not_be_used_are_told(cfg, unusable, said):
    record = VerificationRecord("judge", "logprobs", (GOOD,))
    counts = replace(COUNTS, unusable=unusable)
    manifest = Manifest("", "t", (), counts, Coverage(), Diversity(), True, record)
    assert [caution.text for caution in _warnings(Recipe.from_cfg(cfg), manifest, Figures())] == said
