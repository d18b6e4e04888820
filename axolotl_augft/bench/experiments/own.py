"""A user's axolotl recipe and questions -> a plan of the conditions, to measure the method on the user's data."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axolotl_augft.bench.datasets.dataset import Question
from axolotl_augft.bench.datasets.forgetting.tasks import GeneralTask
from axolotl_augft.bench.experiments.plan import LEFT_OUT, Plan
from axolotl_augft.bench.experiments.preparing import check_comparable
from axolotl_augft.bench.experiments.questions import read_form_rows, read_questions
from axolotl_augft.bench.experiments.suite import IclConfig, ScoringConfig
from axolotl_augft.bench.report.results import CONDITIONS, Condition, Match
from axolotl_augft.cli.recipe_files import read_recipe, read_yaml
from axolotl_augft.config.entries import placeholders
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import BenchError
from axolotl_augft.output.manifest import Load
from axolotl_augft.output.summary import optimizer_steps
from axolotl_augft.sources.documents import read_documents
from axolotl_augft.sources.loading import load_sources
from axolotl_augft.sources.source import Source, row_digest
from axolotl_augft.text.tokens import token_counter

_ANSWER_TOKENS = 32
_SET_BY_THE_BENCH = {"documents", "teacher", "augment", "output_dir", "store", "val_set_size"}


@dataclass(frozen=True)
class OwnSettings:
    """What a user chooses besides recipe and questions.

    Attributes:
        conditions: Conditions to run. Default: all that the recipe's entries allow.
        seeds: Training seeds. Default: the recipe's seed.
        steps: Optimizer steps per condition. Default: the recipe's max_steps, or the steps that its source rows take.
        form_rows: JSON Lines file of other questions, with `prompt` and `answer`, that all trained conditions but `ft`
            get.
        answer_tokens: Longest answer that the student may write to every question. Default: 32 if a question is open,
            else the student writes none.
        match: What the trained conditions share; with `source`, `steps` are those of `ft`.
        forgetting: General tasks to score each model by, too. Default: none.
    """

    conditions: Sequence[Condition] | None = None
    seeds: Sequence[int] | None = None
    steps: int | None = None
    form_rows: Path | None = None
    answer_tokens: int | None = None
    match: Match = "steps"
    forgetting: Sequence[GeneralTask] | None = None


_DEFAULTS = OwnSettings()


def own_plan(config: Path, questions: Path, settings: OwnSettings = _DEFAULTS) -> Plan:
    """Plan the cells of `bench own`.

    Args:
        config: An axolotl YAML with an `augft:` block. aug-local takes its local entries, aug-global its global ones,
            aug-both both, aug-cloze its cloze and aug-study its study entries.
        questions: JSON Lines file with `prompt`, `choices` and `answer`; open questions have no `choices`.
        settings: What the user chooses besides.

    Raises:
        AugftError: The recipe, its data or the questions cannot be used, or the recipe holds rows out or makes the
            conditions incomparable.
    """
    full = read_recipe(str(config))
    _refuse_held_out(read_yaml(config), config)
    cfg = {k: v for k, v in read_yaml(config).items() if k not in LEFT_OUT}
    check_comparable(cfg["augft"], settings.match, config)
    recipe = Recipe.from_cfg(cfg)
    asked = read_questions(questions)
    sources = load_sources(recipe)
    documents = tuple(document.text for document in read_documents(sources))
    augment = _augment(recipe)
    form = read_form_rows(settings.form_rows, asked) if settings.form_rows else ()
    chosen = tuple(settings.conditions or ("pretrained", "icl", "ft", *(("ft-form",) if form else ()), *augment))
    if "ft-form" in chosen and not form:
        raise BenchError("condition ft-form needs form rows; give a file of them: --form-rows FILE")
    for condition in chosen:
        if condition.startswith("aug-") and condition not in augment:
            raise BenchError(
                f"{config}: condition {condition} needs augft.augment entries that the recipe does not have; add them"
            )
    splitting = recipe.augft.sentence_splitting
    rows = sum(len(source.training_rows) for source in sources)
    return Plan(
        name=config.stem,
        title=config.stem,
        recipe={**{k: v for k, v in cfg.items() if k != "augft"}, "datasets": _datasets(cfg, recipe)},
        questions=asked,
        documents=documents,
        stated=(),
        teacher={"seed": recipe.seed, **(cfg["augft"].get("teacher") or {})},
        augft=_shared_block(cfg["augft"], recipe),
        augment=augment,
        conditions=tuple(c for c in CONDITIONS if c in chosen),
        seeds=tuple(settings.seeds or (recipe.seed,)),
        steps=settings.steps or _steps(full, documents, rows),
        splitting=("none",) if splitting == "none" else ("none", splitting),
        icl=IclConfig(),
        scoring=ScoringConfig(answer_tokens=settings.answer_tokens or _tokens_for(asked)),
        keep_models=True,
        rows=rows,
        data=_digest(sources),
        form_rows=form,
        match=settings.match,
        forgetting=tuple(settings.forgetting or ()),
        about={"name": config.stem, "scale": "own", "seed": 0, "documents": len(documents), "questions": len(asked)},
    )


def _refuse_held_out(cfg: Mapping[str, Any], config: Path) -> None:
    """Refuse held-out rows: they must not reach the teacher, and all conditions must train on the same rows."""
    for key in ("val_set_size", "test_datasets"):
        if cfg.get(key):
            raise BenchError(
                f"{config}: {key} holds rows out, but here the questions are the test and every row of datasets is "
                f"trained on and shown to the teacher; remove it from a copy of the recipe, and those rows from its "
                f"data if they must stay unseen"
            )


def _datasets(cfg: Mapping[str, Any], recipe: Recipe) -> list[Any]:
    """The recipe's entries, with `augft.documents` as converted files, since some conditions have no `augft:` block."""
    return [*(cfg.get("datasets") or []), *placeholders(recipe.augft, recipe.output_dir.resolve())]


def _shared_block(block: Mapping[str, Any], recipe: Recipe) -> dict[str, Any]:
    """The user's `augft:` block for all conditions, with the recipe's own store, so that stored answers are reused."""
    kept = {k: v for k, v in block.items() if k not in _SET_BY_THE_BENCH}
    return {**kept, "store": str(recipe.store_path.resolve())}


def _digest(sources: Sequence[Source]) -> str:
    """Digest of the content of all training rows."""
    digest = hashlib.sha256()
    for source in sources:
        for i in source.training_rows:
            digest.update(row_digest(source.rows[i], source.content))
    return digest.hexdigest()


def _steps(recipe: Recipe, documents: Sequence[str], rows: int) -> int:
    """Optimizer steps that the recipe takes on its source rows."""
    count = token_counter(recipe.tokenizer).count
    return optimizer_steps(Load(rows, sum(count(text) for text in documents)), recipe.training)


def _tokens_for(questions: Sequence[Question]) -> int | None:
    """Longest answer that the student may write; None if every question has choices."""
    return _ANSWER_TOKENS if any(q.is_open for q in questions) else None


def _augment(recipe: Recipe) -> dict[Condition, list[Any]]:
    entries = [e.model_dump(exclude_none=True, mode="json") for e in recipe.augft.augment]
    by_condition: dict[Condition, tuple[str, ...]] = {
        "aug-cloze": ("cloze",),
        "aug-local": ("local",),
        "aug-study": ("study",),
        "aug-global": ("global",),
    }
    written = {e["strategy"] for e in entries}
    if {"local", "global"} <= written:
        by_condition["aug-both"] = ("local", "global")
    chosen = {c: [e for e in entries if e["strategy"] in names] for c, names in by_condition.items()}
    return {condition: found for condition, found in chosen.items() if found}
