"""What the page says before one trains."""

from dataclasses import replace

import pytest

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.output.manifest import Counts, Manifest
from axolotl_augft.report.figures import Figures
from axolotl_augft.report.run_figures import _warnings
from axolotl_augft.store.run_record import RunRecord
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
    found = _warnings(Recipe.from_cfg(cfg), manifest, RunRecord(), Figures())
    assert [caution.text for caution in found] == said
