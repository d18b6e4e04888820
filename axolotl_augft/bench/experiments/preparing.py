"""A suite -> its plan: the data set is generated and proven, or loaded, and added to the recipe."""

import hashlib
from pathlib import Path

import orjson

from axolotl_augft.bench.datasets.dataset import DATASET, DOCUMENTS, BenchData, load, save
from axolotl_augft.bench.experiments.plan import Plan, documents_entry
from axolotl_augft.bench.experiments.suite import FolderData, MadeData, SuiteConfig
from axolotl_augft.bench.report.results import CONDITIONS
from axolotl_augft.errors import BenchError


def suite_plan(suite: SuiteConfig, out: Path) -> Plan:
    """Plan a suite, with its data set in `out/data` unless the suite names a folder.

    Raises:
        BenchError: The data set cannot be made or read, or the questions of a generated one do not follow from its
            facts.
    """
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


def _made(wanted: MadeData, folder: Path) -> BenchData:
    from axolotl_augft.bench.datasets.making import examine, make

    data = make(wanted.name, wanted.scale, wanted.seed, wanted.source, wanted.passages)
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
