"""A suite -> its cells, with the axolotl recipe of each and a fingerprint of everything that its result depends on."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from axolotl_augft.bench.datasets.dataset import FACTS, FORM, Question, Stated
from axolotl_augft.bench.datasets.forgetting.tasks import GeneralTask, general_questions
from axolotl_augft.bench.experiments.suite import ORACLE, IclConfig, ScoringConfig
from axolotl_augft.bench.report.results import Condition, Match, Splitting
from axolotl_augft.config.plugin_line import PLUGIN
from axolotl_augft.config.result_settings import answer_settings
from axolotl_augft.files.code_digest import code_digest
from axolotl_augft.files.fingerprints import combined_digest, model_files, stamp_files

SCHEMA = 1
_LOGGED_STEPS = 10
_WARMUP_RATIO = 0.03
# Evaluation, checkpoints and uploads: a cell is tested by its questions, after training.
LEFT_OUT = frozenset(
    [
        *(
            "val_set_size",
            "test_datasets",
            "eval_strategy",
            "eval_steps",
            "evals_per_epoch",
            "do_bench_eval",
            "early_stopping_patience",
        ),
        *(
            "save_steps",
            "saves_per_epoch",
            "save_total_limit",
            "load_best_model_at_end",
            "metric_for_best_model",
            "num_epochs",
        ),
        *(
            "resume_from_checkpoint",
            "auto_resume_from_checkpoints",
            "hub_model_id",
            "hub_strategy",
            "push_dataset_to_hub",
        ),
    ]
)


@dataclass(frozen=True)
class Cell:
    """One condition with one seed and one kind of sentence splitting.

    `pretrained` and `icl` train nothing and have seed 0.
    """

    condition: Condition
    seed: int = 0
    splitting: Splitting = "none"

    @property
    def trains(self) -> bool:
        """Whether the cell trains a model."""
        return self.condition not in ("pretrained", "icl")

    @property
    def name(self) -> str:
        """Name of the cell's folder."""
        if not self.trains:
            return self.condition
        return f"{self.condition}{'' if self.splitting == 'none' else '-' + self.splitting}-seed{self.seed}"


@dataclass(frozen=True)
class Plan:
    """Everything that a suite runs, settled before it starts.

    Attributes:
        recipe: An axolotl config with data, but without plugin, seed and steps.
        teacher: An `augft.teacher` block, or `oracle`.
        augft: The rest of the `augft:` block.
        augment: The `augment` entries of each condition.
        steps: Optimizer steps per condition; with `match: source`, those of `ft`.
        splitting: Kinds of sentence splitting that `ft` is run with.
        rows: Training rows of plain fine-tuning per epoch.
        data: Digest of the training data's content.
        form_rows: Questions with answers about something else, as texts; every trained condition but `ft` gets them.
        match: What the trained conditions share.
        about: Description of the data for the result.
        prices: Prices in dollars; may be empty.
        data_folder: Folder of a generated data set.
        forgetting: General tasks that each model is scored by, too.
    """

    name: str
    title: str
    recipe: Mapping[str, Any]
    questions: tuple[Question, ...]
    documents: tuple[str, ...]
    stated: tuple[Stated, ...]
    teacher: str | Mapping[str, Any]
    augft: Mapping[str, Any]
    augment: Mapping[Condition, list[Any]]
    conditions: tuple[Condition, ...]
    seeds: tuple[int, ...]
    steps: int
    splitting: tuple[Splitting, ...]
    icl: IclConfig
    scoring: ScoringConfig
    keep_models: bool
    rows: int
    data: str
    form_rows: tuple[str, ...] = ()
    match: Match = "steps"
    about: Mapping[str, Any] = field(default_factory=dict)
    prices: Mapping[str, float] = field(default_factory=dict)
    data_folder: Path | None = None
    forgetting: tuple[GeneralTask, ...] = ()

    @property
    def model(self) -> str:
        """The student before training."""
        return str(self.recipe["base_model"])

    @property
    def chance(self) -> float:
        """Accuracy of random guessing, which answers no open question."""
        return sum(1 / len(q.choices) for q in self.questions if not q.is_open) / len(self.questions)

    def cells(self) -> list[Cell]:
        """List all cells: first those that train nothing, then seed by seed."""
        cells = [Cell(c) for c in self.conditions if not Cell(c).trains]
        for seed in self.seeds:
            for condition in self.conditions:
                if Cell(condition).trains:
                    cells += [Cell(condition, seed, splitting) for splitting in self.splittings(condition)]
        return cells

    def splittings(self, condition: Condition) -> tuple[Splitting, ...]:
        """Kinds of sentence splitting that a condition is run with."""
        return self.splitting if condition == "ft" else (self.augft.get("sentence_splitting", "none"),)


def documents_entry(path: Path) -> dict[str, Any]:
    """Build the `datasets` entry of a file of documents."""
    return {"path": str(path.resolve()), "ds_type": "json", "type": "completion", "field": "text"}


def cell_recipe(
    plan: Plan, cell: Cell, folder: Path, augmentations: Path, teacher: Mapping[str, Any]
) -> dict[str, Any]:
    """Build the axolotl config of a cell.

    Args:
        plan: The plan of the suite.
        cell: A cell that trains.
        folder: The cell's folder.
        augmentations: Folder for the teacher's answers and the augmentations of all cells, so that no cell repeats
            another cell's requests. It holds the file of form rows as well.
        teacher: The `augft.teacher` block.
    """
    cfg = {k: v for k, v in plan.recipe.items() if k not in LEFT_OUT}
    others = [p for p in cfg.pop("plugins", None) or [] if p != PLUGIN]
    augft = _augft(plan, cell, augmentations, teacher)
    if plan.form_rows and cell.condition != "ft":
        form = documents_entry(augmentations / FORM)
        cfg["datasets"] = [*cfg["datasets"], form]
        # They are about something else, so the teacher is not asked about them.
        augft = {**augft, "exclude": [*augft.get("exclude", []), form["path"]]} if augft else augft
    cfg |= {
        "seed": cell.seed,
        "max_steps": plan.steps,
        "save_strategy": "no",
        "logging_steps": logging_steps(plan.steps),
    }
    cfg |= {"dataset_prepared_path": str(folder / "prepared"), "output_dir": str(folder / "model")}
    # axolotl applies warmup_ratio to the steps of one epoch, and an augmented epoch is longer than a plain one.
    if cfg.get("warmup_steps") is None:
        cfg["warmup_steps"] = round(float(cfg.pop("warmup_ratio", None) or _WARMUP_RATIO) * plan.steps)
    if augft:
        others.append(PLUGIN)
        cfg["augft"] = augft
    return cfg | ({"plugins": others} if others else {})


def _augft(plan: Plan, cell: Cell, augmentations: Path, teacher: Mapping[str, Any]) -> dict[str, Any]:
    """The `augft:` block of a cell; empty for plain fine-tuning without sentence splitting."""
    where = {"output_dir": str(augmentations), "store": str(augmentations / "responses.sqlite")}
    if cell.condition not in ("ft", "ft-form"):
        # A cell's seed is for training only: with a fixed seed, the teacher's answers serve all cells.
        return {**where, **plan.augft, "teacher": {"seed": 0, **teacher}, "augment": plan.augment[cell.condition]}
    if cell.splitting == "none":
        return {}
    kept = {k: v for k, v in plan.augft.items() if k in ("language", "exclude", "store")}
    return {**where, **kept, "augment": [], "sentence_splitting": cell.splitting}


def logging_steps(steps: int) -> int:
    """Logging interval that divides the number of steps, since the token count comes from the last step's log line."""
    return next(n for n in range(_LOGGED_STEPS, 0, -1) if steps % n == 0)


class Fingerprints:
    """Digests of everything that a cell's result depends on; model files are hashed once.

    Args:
        plan: The plan of the suite.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._models: dict[str, str] = {}

    def of(self, cell: Cell) -> str:
        """Compute the fingerprint of a cell."""
        plan = self._plan
        content: dict[str, Any] = {
            "schema": SCHEMA,
            "model": self._model(plan.model),
            "asked": _asked_of(plan.questions),
            "scoring": plan.scoring.dtype,
        }
        if plan.scoring.answer_tokens:
            content["answer_tokens"] = plan.scoring.answer_tokens
        if cell.condition == "icl":
            content |= {"data": plan.data, "icl": plan.icl.model_dump()}
        elif plan.forgetting:
            content["forgetting"] = {name: _asked_of(general_questions(name)) for name in plan.forgetting}
        if cell.trains:
            cfg = cell_recipe(plan, cell, Path("cell"), Path("augmentations"), self._teacher())
            del cfg["datasets"]
            if "augft" in cfg:
                cfg["augft"] = self._augft(cfg["augft"])
            if plan.form_rows and cell.condition != "ft":
                content["form"] = hashlib.sha256(orjson.dumps(plan.form_rows)).hexdigest()
            if plan.match != "steps":
                content["match"] = plan.match
            content |= {"data": plan.data, "recipe": cfg, "writing": self._writing(cell)}
        return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]

    def _writing(self, cell: Cell) -> list[str] | None:
        """Digests of what else shapes the rows: this package, the files that the settings name, an oracle's facts."""
        entries = self._plan.augment.get(cell.condition)
        if entries is None:
            return None
        named = [Path(entry[key]) for entry in entries for key in ("prompt", "examples") if entry.get(key)]
        if marks := self._plan.augft.get("marks"):
            named.append(Path(marks))
        truth = [self._plan.data_folder / FACTS] if self._plan.data_folder and self._plan.teacher == ORACLE else []
        return [code_digest(), combined_digest(stamp_files([path for path in (*named, *truth) if path.is_file()], {}))]

    def _teacher(self) -> dict[str, Any]:
        if not isinstance(self._plan.teacher, Mapping):
            return {"model": ORACLE}
        return self._asked(self._plan.teacher)

    def _augft(self, block: Mapping[str, Any]) -> dict[str, Any]:
        """What of an `augft:` block shapes the rows; `verify.by` is a model's name, or a block like the teacher's."""
        kept = {k: v for k, v in block.items() if k != "store"}
        verify = kept.get("verify")
        if isinstance(verify, Mapping) and (by := verify.get("by")):
            kept["verify"] = {**verify, "by": self._asked(by if isinstance(by, Mapping) else {"model": by})}
        return kept

    def _asked(self, block: Mapping[str, Any]) -> dict[str, Any]:
        """What of a `teacher:` block shapes its answers, with the content of a model's folder."""
        kept = answer_settings(block)
        return {**kept, "model": self._model(str(kept["model"]))} if kept.get("model") and not kept.get("id") else kept

    def _model(self, name: str) -> str:
        if name not in self._models:
            folder = Path(name)
            self._models[name] = combined_digest(stamp_files(model_files(folder), {})) if folder.is_dir() else name
        return self._models[name]


def _asked_of(questions: Iterable[Question]) -> list[tuple[Any, ...]]:
    """What of questions a cell's result depends on."""
    return [(q.id, q.prompt, q.choices, q.answer) for q in questions]
