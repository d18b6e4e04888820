"""The name of a data set -> the data set, and the grammar of its facts. Imports only what the name needs."""

from pathlib import Path

from axolotl_augft.bench.datasets.dataset import BenchData, Scale
from axolotl_augft.bench.datasets.grammar import Grammar
from axolotl_augft.errors import BenchError

NAMES = ("reversals", "syllogisms", "semantic", "process", "reversal-curse")


def make(name: str, scale: Scale, seed: int, source: Path | str | None = None) -> BenchData:
    """The data set of that name.

    Args:
        name: One of `NAMES`.
        scale: How large.
        seed: Of everything that is random in it.
        source: The folder of the reversal-curse data, None for the hub; the others are made, not read.

    Raises:
        BenchError: There is no such data set, it takes no folder, or its files cannot be read.
    """
    if source is not None and name != "reversal-curse":
        raise BenchError(
            f"source {source}: only reversal-curse is read from a folder, {name} is made; leave the source out"
        )
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
    raise _unknown(name)


def grammar_of(data: BenchData) -> Grammar:
    """The wording of its facts.

    Raises:
        BenchError: It is none of `NAMES`.
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
            from axolotl_augft.bench.datasets.reversal_curse.make import ReversalCurseGrammar

            return ReversalCurseGrammar(data)
    raise _unknown(data.name)


def _unknown(name: str) -> BenchError:
    return BenchError(f"data set {name!r}: unknown; expected one of {', '.join(NAMES)}")
