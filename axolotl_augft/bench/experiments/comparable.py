"""An `augft:` block of an experiment -> refused where conditions would differ in more than the augmentations."""

from collections.abc import Mapping
from typing import Any

from axolotl_augft.bench.report.results import Match
from axolotl_augft.errors import BenchError

_REFUSED = {
    "replay": "only the augmented conditions would get its rows, and what those are worth would count as the "
    "teacher's; remove it, and use form rows, which every trained condition but ft gets (`bench own --form-rows FILE`)",
    "mix": "it repeats source rows in the augmented conditions only, and form rows in none; remove it, and set "
    "repeat_augmented if the augmentations are to weigh more",
}


def check_comparable(augft: Mapping[str, Any], match: Match, where: object) -> None:
    """Refuse settings after which a difference between conditions would not be the augmentations' alone.

    Args:
        augft: The `augft:` block that the augmented conditions share.
        match: What the trained conditions share.
        where: The file that the block is from.

    Raises:
        BenchError: One line with the setting and what to do instead.
    """
    for key, reason in _REFUSED.items():
        if augft.get(key) is not None:
            raise BenchError(f"{where}: augft.{key} would make the conditions incomparable: {reason}")
    for key, default in (("repeat_original", 1), ("include_original", True)):
        if match == "source" and augft.get(key, default) != default:
            raise BenchError(
                f"{where}: augft.{key} sets how often the augmented conditions see the source rows, which match: "
                "source makes equal for all; remove one of the two"
            )
