"""The name of a data set -> the data set, its grammar and its examination; imports only what the name needs."""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from axolotl_augft.bench.datasets.dataset import BenchData, Scale
from axolotl_augft.bench.datasets.grammar import Grammar
from axolotl_augft.errors import BenchError

if TYPE_CHECKING:
    from axolotl_augft.bench.datasets.squad.two_passages import TwoPassagesWanted

NAMES = ("reversals", "syllogisms", "semantic", "process", "reversal-curse", "squad")
_READ_FROM_ELSEWHERE = ("reversal-curse", "squad")


class Examined(Protocol):
    """What an examination of a data set has found."""

    @property
    def problems(self) -> list[str]:
        """Problems, one line each; empty if there are none."""

    @property
    def proven(self) -> list[str]:
        """What holds if there are no problems, one line each."""


def make(
    name: str,
    scale: Scale,
    seed: int,
    source: Path | str | None = None,
    passages: int | None = None,
    two_passages: "TwoPassagesWanted | None" = None,
) -> BenchData:
    """Make a data set by name.

    Args:
        name: One of `NAMES`.
        scale: Size of the data set.
        seed: Random seed.
        source: Folder of the reversal-curse or SQuAD data, None to download them from the hub. All other data sets are
            generated and take none.
        passages: Number of SQuAD's passages, instead of the scale's. The other data sets take none.
        two_passages: Adds questions to SQuAD's that need two passages. The other data sets take none.

    Raises:
        BenchError: The name is unknown, the data set takes no source or passages, or its files cannot be read.
        AugftError: A teacher of questions that need two passages cannot be asked.
    """
    if source is not None and name not in _READ_FROM_ELSEWHERE:
        raise BenchError(
            f"source {source}: only {' and '.join(_READ_FROM_ELSEWHERE)} are read from a folder, {name} is generated; "
            f"leave the source out"
        )
    if passages is not None and name != "squad":
        raise BenchError(f"passages {passages}: only squad has passages; leave them out, or give another scale")
    if two_passages is not None and name != "squad":
        raise BenchError(f"two passages: only squad has questions that need them, {name} has none; leave them out")
    match name:
        case "reversals":
            from axolotl_augft.bench.datasets.reversals import make_reversals

            return make_reversals(scale, seed)
        case "syllogisms":
            from axolotl_augft.bench.datasets.syllogisms import make_syllogisms

            return make_syllogisms(scale, seed)
        case "semantic":
            from axolotl_augft.bench.datasets.semantic.make import make_semantic

            return make_semantic(scale, seed)
        case "process":
            from axolotl_augft.bench.datasets.process.make import make_process

            return make_process(scale, seed)
        case "reversal-curse":
            from axolotl_augft.bench.datasets.reversal_curse.make import make_reversal_curse

            return make_reversal_curse(Path(source) if source is not None else None, scale, seed)
        case "squad":
            from axolotl_augft.bench.datasets.squad.make import make_squad

            return make_squad(Path(source) if source is not None else None, scale, seed, passages, two_passages)
    raise _unknown(name)


def examine(data: BenchData) -> Examined:
    """Examine a data set: questions with formal facts are proven, those about real text are checked as far as can be.

    Raises:
        BenchError: The data set's name is not one of `NAMES`.
    """
    if data.name == "squad":
        from axolotl_augft.bench.datasets.squad.checker import SquadExamination

        return SquadExamination(data)
    from axolotl_augft.bench.datasets.checker import Examination

    return Examination(data, grammar_of(data))


def grammar_of(data: BenchData) -> Grammar:
    """Return the grammar of a data set's facts.

    Raises:
        BenchError: The data set's name is not one of `NAMES`, or its text is real and has no formal facts.
    """
    match data.name:
        case "reversals":
            from axolotl_augft.bench.datasets.reversals import ReversalsGrammar

            return ReversalsGrammar(data)
        case "syllogisms":
            from axolotl_augft.bench.datasets.syllogisms import SyllogismsGrammar

            return SyllogismsGrammar(data)
        case "semantic":
            from axolotl_augft.bench.datasets.semantic.make import SemanticGrammar

            return SemanticGrammar(data)
        case "process":
            from axolotl_augft.bench.datasets.process.make import ProcessGrammar

            return ProcessGrammar(data)
        case "reversal-curse":
            from axolotl_augft.bench.datasets.reversal_curse.grammar import ReversalCurseGrammar

            return ReversalCurseGrammar(data)
        case "squad":
            raise BenchError(
                "data set squad: is real text without formal facts, so statements about it cannot be proven; take one "
                "of the generated data sets, or let people judge"
            )
    raise _unknown(data.name)


def _unknown(name: str) -> BenchError:
    return BenchError(f"data set {name!r}: unknown; expected one of {', '.join(NAMES)}")
