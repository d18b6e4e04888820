"""A suite's YAML file -> validated settings of an experiment.

All defaults are here; `plan` says what the settings mean for each cell.
"""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from axolotl_augft.bench.datasets.dataset import Scale
from axolotl_augft.bench.datasets.forgetting.tasks import GeneralTask
from axolotl_augft.bench.report.results import CONDITIONS, Condition, Match, Splitting
from axolotl_augft.cli.recipe_files import read_yaml
from axolotl_augft.config.parsing import parse_augft
from axolotl_augft.errors import BenchError, ConfigError

ORACLE = "oracle"
_SET_BY_THE_BENCH = ("datasets", "plugins", "augft", "seed", "max_steps", "output_dir", "dataset_prepared_path")
_AUGFT_SET_BY_THE_BENCH = ("teacher", "augment", "output_dir", "store")
_LISTS = {
    "aug-cloze": ("cloze",),
    "aug-local": ("local",),
    "aug-questions": ("questions",),
    "aug-study": ("study",),
    "aug-global": ("global",),
    "aug-both": ("local", "global"),
}


def _no_splitting() -> list[Splitting]:
    return ["none"]


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class MadeData(_Block):
    """A data set that is generated for the suite."""

    name: str = Field(
        min_length=1,
        description="Name of the data set: reversals, syllogisms, semantic, process, reversal-curse or squad.",
    )
    scale: Scale = Field("small", description="Size.")
    seed: int = Field(0, ge=0, description="Seed of the data set; not the training seed.")
    source: str | None = Field(
        None,
        min_length=1,
        description="Folder of the reversal-curse or SQuAD data. Default: download them from the hub.",
    )
    passages: int | None = Field(None, ge=1, description="Number of SQuAD passages. Default: by scale.")
    two_passages: bool = Field(False, description="Whether to add questions to SQuAD's that need two passages.")


class FolderData(_Block):
    """A data set that `bench make` has written."""

    folder: str = Field(min_length=1, description="Folder of the data set.")


class IclConfig(_Block):
    """In-context learning: documents before every question's prompt."""

    context_tokens: int = Field(
        16_000, ge=16, description="Tokens of documents in the prompt, by the student's tokenizer."
    )
    questions: int | None = Field(
        None, ge=1, description="Maximum number of questions, drawn evenly over the splits. Default: all."
    )


class ScoringConfig(_Block):
    """How lm_eval runs the student."""

    batch_size: int = Field(16, ge=1, description="Choices per batch.")
    dtype: Literal["float32", "bfloat16", "float16"] = Field("float32", description="Number format of the weights.")
    answer_tokens: int | None = Field(
        None,
        ge=1,
        description="Also let the student write an answer of at most this many tokens to every question, the likeliest "
        "one, up to the end of a line. Default: choices are scored by likelihood alone.",
    )


class PricesConfig(_Block):
    """Prices in dollars."""

    input: float = Field(ge=0, description="Price per million tokens that the teacher reads.")
    output: float = Field(ge=0, description="Price per million tokens that the teacher writes.")
    icl_input: float = Field(ge=0, description="Price per million tokens of ICL prompts.")
    gpu_hour: float = Field(ge=0, description="Price per hour of the training machine.")


class SuiteConfig(_Block):
    """A complete suite file."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", description="Name of the result.")
    title: str = Field("", description="Heading of its table and figure. Default: the name.")
    recipe: str | dict[str, Any] = Field(
        description="An axolotl config without data and plugin, or its path relative to the suite file."
    )
    data: MadeData | FolderData = Field(description="The data set.")
    teacher: Literal["oracle"] | dict[str, Any] = Field(
        default_factory=dict,
        description="An `augft.teacher` block, or `oracle`: answers are deduced from the data set's facts.",
    )
    augft: dict[str, Any] = Field(
        default_factory=dict, description="The rest of the `augft:` block, for all augmented conditions."
    )
    local: list[dict[str, Any]] = Field(
        default_factory=list, description="`augment` entries of aug-local and aug-both."
    )
    global_: list[dict[str, Any]] = Field(
        default_factory=list, alias="global", description="`augment` entries of aug-global and aug-both."
    )
    cloze: list[dict[str, Any]] = Field(default_factory=list, description="`augment` entries of aug-cloze.")
    questions: list[dict[str, Any]] = Field(
        default_factory=list, description="`augment` entries of aug-questions: `local`, writing questions."
    )
    study: list[dict[str, Any]] = Field(default_factory=list, description="`augment` entries of aug-study.")
    conditions: list[Condition] = Field(min_length=1, description="Conditions to run.")
    seeds: list[Annotated[int, Field(ge=0)]] = Field(
        default_factory=lambda: [0], min_length=1, description="Training seeds."
    )
    steps: int = Field(ge=1, description="Optimizer steps, the same for every condition.")
    match: Match = Field(
        "steps",
        description="What the trained conditions share: `steps`, or with `source` how often they see the source rows, "
        "so that a condition with more rows takes more steps than `ft`.",
    )
    splitting: list[Splitting] = Field(
        default_factory=_no_splitting, min_length=1, description="Kinds of sentence splitting to run `ft` with."
    )
    icl: IclConfig = Field(default_factory=IclConfig, description="In-context learning.")
    forgetting: list[GeneralTask] = Field(
        default_factory=list,
        description="General tasks to score before and after training, everyday or grammar. Default: none.",
    )
    scoring: ScoringConfig = Field(default_factory=ScoringConfig, description="How lm_eval runs the student.")
    prices: PricesConfig | None = Field(None, description="Prices, for the cost table. Default: costs in tokens.")
    keep_models: bool = Field(False, description="Keep trained models after scoring.")

    @model_validator(mode="after")
    def _lists_for_conditions(self) -> "SuiteConfig":
        for condition in self.conditions:
            missing = [name for name in _LISTS.get(condition, ()) if not self.entries(name)]
            if missing:
                raise ValueError(
                    f"condition {condition} needs augment entries, but {' and '.join(missing)} has none; give at "
                    f"least one"
                )
        for name in ("conditions", "seeds", "splitting", "forgetting"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"{name} contains a value twice: {', '.join(map(str, values))}")
        return self

    @model_validator(mode="after")
    def _blocks_without_our_keys(self) -> "SuiteConfig":
        for key in _SET_BY_THE_BENCH:
            if isinstance(self.recipe, dict) and self.recipe.get(key) is not None:
                raise ValueError(
                    f"recipe.{key} is set by the suite; remove it (steps, seeds and data have their own keys)"
                )
        for key in _AUGFT_SET_BY_THE_BENCH:
            if key in self.augft:
                raise ValueError(
                    f"augft.{key} is set by the suite; remove it (teacher, local and global have their own keys)"
                )
        return self

    def entries(self, name: str) -> list[dict[str, Any]]:
        """The `augment` entries of one of the lists: `local`, `global`, `cloze`, `questions` or `study`."""
        common = {"strategy": "local", "write": "questions"} if name == "questions" else {"strategy": name}
        given: list[dict[str, Any]] = self.global_ if name == "global" else getattr(self, name)
        return [{**common, **entry} for entry in given]

    def augment(self, condition: Condition) -> list[dict[str, Any]]:
        """The `augment` entries of a condition; none for a condition without augmentation."""
        return [entry for name in _LISTS.get(condition, ()) for entry in self.entries(name)]


def load_suite(path: Path, overrides: Mapping[str, Any] | None = None) -> SuiteConfig:
    """Read a suite file, with its `recipe` loaded if it is a path.

    Args:
        path: The YAML file.
        overrides: Replacements for the suite's keys, plus `model` (the recipe's base_model) and `source` (of the data).
            None values are ignored.

    Raises:
        BenchError: The file cannot be read, or a key or value is invalid.
    """
    try:
        content = read_yaml(path)
    except ConfigError as error:
        raise BenchError(str(error)) from None
    given = {k: v for k, v in (overrides or {}).items() if v is not None}
    source, model = given.pop("source", None), given.pop("model", None)
    if source is not None and isinstance(content.get("data"), dict):
        content["data"] = {**content["data"], "source": source}
    suite = parse_suite({**content, **given}, path)
    recipe = _recipe(suite.recipe, path)
    suite = suite.model_copy(update={"recipe": {**recipe, "base_model": model} if model else recipe})
    if not isinstance(suite.recipe, dict) or not suite.recipe.get("base_model"):
        raise BenchError(f"{path}: recipe.base_model is missing; name the model that is trained, or give --model")
    return suite


def parse_suite(content: Mapping[str, Any], path: Path) -> SuiteConfig:
    """Validate the keys of a suite.

    Raises:
        BenchError: One line with the first invalid key, its value and what was expected.
    """
    try:
        suite = SuiteConfig.model_validate(dict(content))
    except ValidationError as error:
        raise BenchError(f"{path}: {_one_line(error)}") from None
    for condition in suite.conditions:
        if augment := suite.augment(condition):
            _check_augft(
                {**suite.augft, "augment": augment, "teacher": {} if suite.teacher == ORACLE else suite.teacher}, path
            )
    return suite


def _recipe(recipe: str | dict[str, Any], suite: Path) -> dict[str, Any]:
    if isinstance(recipe, dict):
        return recipe
    try:
        content = read_yaml(suite.parent / recipe)
    except ConfigError as error:
        raise BenchError(f"{suite}: recipe: {error}") from None
    return {k: v for k, v in content.items() if k not in _SET_BY_THE_BENCH}


def _check_augft(block: dict[str, Any], path: Path) -> None:
    try:
        parse_augft(block)
    except ConfigError as error:
        raise BenchError(f"{path}: {error}") from None


def _one_line(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    names = [
        p for p in first["loc"] if p not in ("MadeData", "FolderData", "str", "dict[str,any]", "literal['oracle']")
    ]
    key = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in names).removeprefix(".")
    if first["type"] == "extra_forbidden":
        return f"{key}: unknown key; {_hint(str(names[-1]), _known_keys(names))}"
    if first["type"] == "value_error":
        return first["msg"].removeprefix("Value error, ")
    if first["type"] == "missing":
        return f"{key} is missing; {_description(names)}"
    if names[0] == "conditions" and first["type"] == "literal_error":
        return f"{key}: unknown condition {first['input']!r}; {_hint(str(first['input']), list(CONDITIONS))}"
    if first["type"] == "too_short":
        return f"{key} is empty, so there is nothing to do; name at least one"
    return f"{key}: {first['msg'][0].lower()}{first['msg'][1:]}, got {str(first['input'])[:60]!r}"


def _hint(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"


def _known_keys(names: list[str | int]) -> list[str]:
    return [field.alias or name for name, field in _model(names).model_fields.items()]


def _description(names: list[str | int]) -> str:
    field = _model(names).model_fields.get(str(names[-1]))
    return field.description if field and field.description else "give it"


def _model(names: list[str | int]) -> type[_Block]:
    blocks: dict[str | int, type[_Block]] = {
        "data": MadeData,
        "icl": IclConfig,
        "scoring": ScoringConfig,
        "prices": PricesConfig,
    }
    return blocks.get(names[0], SuiteConfig) if len(names) > 1 else SuiteConfig


def parse_list(value: str | None, of: Any, option: str) -> list[Any] | None:
    """Parse an option such as `--seeds 0,1,2`; None if it was not given.

    Raises:
        BenchError: A value is not of the type `of`.
    """
    if value is None:
        return None
    parts: list[Any] = [part.strip() for part in value.split(",") if part.strip()]
    try:
        return TypeAdapter(list[of]).validate_python(parts)
    except ValidationError as error:
        bad = error.errors()[0]
        if of is Condition:
            raise BenchError(
                f"{option}: unknown condition {bad['input']!r}; {_hint(str(bad['input']), list(CONDITIONS))}"
            ) from None
        raise BenchError(f"{option}: {bad['msg'][0].lower()}{bad['msg'][1:]}, got {bad['input']!r}") from None
