"""A suite -> its plan: the data set is generated and proven, or loaded, and added to the recipe."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from axolotl_augft.bench.datasets.dataset import DATASET, DOCUMENTS, BenchData, load, save
from axolotl_augft.bench.experiments.plan import Plan, documents_entry
from axolotl_augft.bench.experiments.suite import FolderData, MadeData, SuiteConfig
from axolotl_augft.bench.report.results import CONDITIONS, Match
from axolotl_augft.errors import BenchError

_REFUSED = {
    "replay": "only the augmented conditions would get its rows, and what those are worth would count as the "
    "teacher's; remove it, and use form rows, which every trained condition but ft gets (`bench own --form-rows FILE`)",
    "mix": "it repeats source rows in the augmented conditions only, and form rows in none; remove it, and set "
    "repeat_augmented if the augmentations are to weigh more",
}


def suite_plan(suite: SuiteConfig, out: Path) -> Plan:
    """Plan a suite, with its data set in `out/data` unless the suite names a folder.

    Raises:
        BenchError: The conditions could not be compared, the data set cannot be made or read, or the questions of a
            generated one do not follow from its facts.
    """
    check_comparable(suite.augft, suite.match, suite.name)
    folder = Path(suite.data.folder) if isinstance(suite.data, FolderData) else out.resolve() / "data"
    data = load(folder) if isinstance(suite.data, FolderData) else _made(suite.data, folder)
    assert isinstance(suite.recipe, dict)
    if "ft-form" in suite.conditions and not data.form_rows:
        raise BenchError(f"condition ft-form: data set {data.name} has no form rows; leave the condition out")
    return Plan(
        name=suite.name,
        title=suite.title,
        recipe={**suite.recipe, "datasets": [documents_entry(folder / DOCUMENTS)]},
        questions=data.questions,
        documents=data.documents,
        stated=data.stated,
        teacher=suite.teacher,
        augft=suite.augft,
        augment={c: entries for c in CONDITIONS if (entries := suite.augment(c))},
        conditions=tuple(suite.conditions),
        seeds=tuple(suite.seeds),
        steps=suite.steps,
        splitting=tuple(suite.splitting),
        icl=suite.icl,
        scoring=suite.scoring,
        keep_models=suite.keep_models,
        rows=len(data.documents),
        data=hashlib.sha256(orjson.dumps(data.documents)).hexdigest(),
        form_rows=data.form_rows,
        match=suite.match,
        about=orjson.loads((folder / DATASET).read_bytes()),
        prices=suite.prices.model_dump() if suite.prices else {},
        data_folder=folder,
        forgetting=tuple(suite.forgetting),
    )


def check_comparable(augft: Mapping[str, Any], match: Match, where: object) -> None:
    """Refuse settings after which a difference between conditions would not be the augmentations' alone.

    Args:
        augft: The `augft:` block that the augmented conditions share.
        match: What the trained conditions share.
        where: The suite or file that the block is from.

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


def _made(wanted: MadeData, folder: Path) -> BenchData:
    from axolotl_augft.bench.datasets.making import examine, make
    from axolotl_augft.bench.datasets.squad.two_passages import TwoPassagesWanted

    further = TwoPassagesWanted() if wanted.two_passages else None
    data = make(wanted.name, wanted.scale, wanted.seed, wanted.source, wanted.passages, further)
    if (folder / DATASET).exists() and _saved(folder) == data:
        return data
    if problems := examine(data).problems:
        raise BenchError(f"data set {wanted.name}: {len(problems):,} problems; the first: {problems[0]}")
    save(data, folder)
    return data


def _saved(folder: Path) -> BenchData | None:
    """Load what an earlier run left in the folder; None if it cannot be read."""
    try:
        return load(folder)
    except BenchError:
        return None
