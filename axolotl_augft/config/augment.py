"""The entries of `augft.augment:`, told apart by `strategy`."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field, model_validator

from axolotl_augft.config.teacher import SettingsBlock


class StrategySettings(SettingsBlock):
    """What the entries of all strategies have. A strategy's own model names it in `strategy`, a literal with itself as default."""

    default_max_tokens: ClassVar[int]
    """Longest answer in tokens, where neither the entry nor `augft.teacher` says."""

    strategy: str
    samples: int = Field(1, ge=1, le=100, description="Answers asked for per request, each with its own index and seed.")
    max_tokens: int | None = Field(None, ge=1, description="Longest answer, in tokens. Default: teacher.max_tokens.")
    prompt: str | None = Field(None, min_length=1, description="A Jinja file with the blocks of the package's own prompt.")
    stop: list[str] | None = Field(
        None, max_length=4, description="Stop sequences. Default: none for chat, the template's for completions."
    )
    write: Literal["statements", "questions"] | None = Field(
        None,
        description="What documents become: statements (more text), or questions with answers (chat rows). Default: what the source holds; "
        "rows that are questions with answers always become such.",
    )

    @property
    def files(self) -> list[str]:
        """The files it names, on whose contents the result depends."""
        return [self.prompt] if self.prompt else []

    def conflict_with_questions(self) -> str | None:
        """Why its answers cannot become questions with answers, in words that go on after "questions and answers"; None if they can."""
        return f"cannot become statements (augment: {self.strategy}, write: statements)" if self.write == "statements" else None


Kind = Literal["rephrasing", "reversal", "consequence"]


def _all_kinds() -> list[Kind]:
    return ["rephrasing", "reversal", "consequence"]


class LocalAugment(StrategySettings):
    """Sentence level: rephrasings, reversals and one-step consequences (paper, local augmentation)."""

    default_max_tokens = 512

    strategy: Literal["local"] = "local"
    kinds: list[Kind] = Field(
        default_factory=_all_kinds,
        min_length=1,
        description="Kinds of statements asked for. A small teacher does better with one kind a request (two entries).",
    )
    unit_tokens: int = Field(96, ge=1, description="Tokens of consecutive sentences asked about in one request (at least one sentence).")
    examples: str | None = Field(
        None, min_length=1, description="JSON lines with your own pool of worked examples. Default: the package's."
    )
    num_examples: int = Field(6, ge=0, le=32, description="Worked examples in a prompt, those that fit its sentences best.")
    example_choice: Literal["fitting", "fixed"] = Field(
        "fitting",
        description="fitting: by similarity to the sentences. fixed: the same ones in every prompt (to compare with).",
    )

    @property
    def files(self) -> list[str]:
        """Its prompt and its pool of worked examples."""
        return [*super().files, *([self.examples] if self.examples else [])]


class GlobalAugment(StrategySettings):
    """Data set level: what follows from a document together with the others (paper, global augmentation)."""

    default_max_tokens = 2048
    default_context_tokens: ClassVar[int] = 16_000

    strategy: Literal["global"] = "global"
    context_tokens: int | None = Field(
        None,
        ge=64,
        description="Tokens of documents in one prompt. Default: 16000, or what the model's context leaves.",
    )
    passes: int = Field(1, ge=1, le=100, description="How often all documents are grouped anew, so that new pairs meet.")
    keep: Literal["trace", "conclusions", "both"] = Field(
        "both", description="Which parts of an answer become training text: the reasoning trace, the conclusions it ends with, or both."
    )
    keep_reasoning: bool = Field(
        False,
        description="Whether a reasoning model's own reasoning (reasoning_content, <think>) becomes a trace too. It is stored only for "
        "requests that are sent while this is set.",
    )

    @model_validator(mode="after")
    def _reasoning_is_a_trace(self) -> "GlobalAugment":
        if self.keep_reasoning and self.keep == "conclusions":
            raise ValueError("keep_reasoning makes traces, but keep is conclusions; set keep to trace or both, or drop keep_reasoning")
        return self

    def conflict_with_questions(self) -> str | None:
        """As for all strategies; and a trace is no question."""
        own = "become questions with answers, but keep: trace asks for the reasoning only" if self.keep == "trace" else None
        return super().conflict_with_questions() or own


Augment = Annotated[LocalAugment | GlobalAugment, Field(discriminator="strategy")]
STRATEGIES: dict[str, type[StrategySettings]] = {model.model_fields["strategy"].default: model for model in get_args(get_args(Augment)[0])}
"""The settings of each strategy by its name."""


def default_augment() -> list[Augment]:
    """What is asked where a recipe does not say."""
    return [LocalAugment(), GlobalAugment()]


def with_named_strategies(data: Any) -> Any:
    """A bare strategy name stands for that strategy with its defaults."""
    if not isinstance(data, Mapping) or not isinstance(data.get("augment"), list):
        return data
    return {**data, "augment": [{"strategy": a} if isinstance(a, str) else a for a in data["augment"]]}


def refuse_equal_entries(augment: list[Augment]) -> None:
    """Raises ValueError where an entry stands twice."""
    for i, entry in enumerate(augment):
        if entry in augment[:i]:
            raise ValueError(
                f"augment[{i}] repeats augment[{augment.index(entry)}] (strategy {entry.strategy} with equal settings); "
                "remove one, or raise `samples` for more answers"
            )
