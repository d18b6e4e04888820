"""The `augft.verify:` block: which model checks what the teacher wrote, how it is asked, and what is kept."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from axolotl_augft.config.teacher import TeacherConfig
from axolotl_augft.config.values.block import SettingsBlock


class VerifyConfig(SettingsBlock):
    """How statements are verified.

    In YAML, `verify: none`, `verify: names` and `verify: teacher` are short for no block, for `method: names`, and for
    a block with all defaults.
    """

    DEFAULT_PRECISION: ClassVar[float] = 0.95

    by: TeacherConfig | None = Field(
        None,
        description="The model that checks: `teacher`, the name of another model, which is served on this "
        "machine, or a block like augft.teacher. Default: the teacher.",
    )
    method: Literal["auto", "logprobs", "votes", "entailment", "names"] = Field(
        "auto",
        description="How it is asked. `logprobs` asks for one token and takes the probability of yes; `votes` asks "
        "several times, for servers without log-probabilities and for reasoning models; `auto` finds out with one "
        "request which of the two the server can do. `entailment` takes a model of the hub that is trained to tell "
        "whether a text supports a statement. `names` asks no model and applies rules for languages that capitalize "
        "only names: it rejects a name or number that the source lacks, a reversal that keeps its sentence's words in "
        "their order, and a rephrased question that drops a name.",
    )
    precision: float | None = Field(
        None,
        gt=0,
        description="Share of kept statements that should be true. The threshold that reaches it is estimated from the "
        "run's own statements and from planted slips. Default: 0.95.",
    )
    threshold: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Lowest probability of a statement that is kept, in place of `precision`.",
    )
    alone: bool = Field(
        True,
        description="Also reject statements that cannot be understood without their source, such as those that begin "
        "with `he` or speak of `the flood`. One more short request per statement.",
    )
    ask_again: bool = Field(
        True,
        description="Ask the teacher once more, in another way, about sentences that no kept statement is about: one "
        "kind of statement for one sentence, with worked examples chosen in another way.",
    )
    contradictions: bool = Field(
        False,
        description="Also reject statements that contradict a source sentence, or a more probable statement about the "
        "same names, as far as the model can tell. Up to four more short requests per kept statement.",
    )
    votes: int = Field(5, ge=2, le=100, description="Number of answers per question with method `votes`.")

    entailment_label: str | int | None = Field(
        None,
        description="Name or number of the label by which an entailment model says that a statement follows. Default: "
        "the label that is named so in the model's configuration.",
    )
    entailment_template: str | None = Field(
        None,
        description="How an entailment model takes a pair as one text, with {premise} and {statement}. Default: what "
        "is known of the model, else a pair of texts.",
    )
    entailment_max_length: int | None = Field(
        None, ge=8, description="Most tokens that an entailment model takes at once. Default: from its configuration."
    )
    entailment_device: str = Field(
        "auto", description="Where an entailment model runs: `auto` (the first GPU, else the CPU), `cpu`, `cuda:1` …"
    )

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, data: Any) -> Any:
        if data in ("teacher", "names"):
            data = {} if data == "teacher" else {"method": "names"}
        if isinstance(data, cls):
            return data
        if not isinstance(data, Mapping):
            raise ValueError(f"must be none, names, teacher or a block, got {data!r}")
        by = data.get("by")
        if by in ("none", "names"):
            raise ValueError(f"by must name a model, got {by!r}; `verify: {by}` stands alone")
        return {**data, "by": None if by == "teacher" else {"model": by}} if isinstance(by, str) else data

    @field_validator("precision")
    @classmethod
    def _can_be_reached(cls, value: float | None) -> float | None:
        if value is not None and value >= 1:
            raise ValueError(
                f"must be below 1, got {value:g}: no verifier is certain; write 0.95, or set threshold instead"
            )
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> "VerifyConfig":
        if self.precision is not None and self.threshold is not None:
            raise ValueError("precision and threshold exclude each other; keep one of them")
        if self.method == "names" and self._set - {"method"}:
            raise ValueError("method names asks no model, so it takes no further settings; remove them")
        if self.method == "entailment":
            self._check_entailment()
        elif self.by is not None and self.by.model is None:
            raise ValueError("by names no model; set by.model, or leave by out to have the teacher check")
        entailment = [name for name in self._set if name.startswith("entailment_")]
        if entailment and self.method != "entailment":
            raise ValueError(f"{min(entailment)} is for method entailment; remove it, or set the method")
        return self

    @property
    def _set(self) -> set[str]:
        """The keys with other values than their defaults; a block that was dumped and read again has all keys."""
        return set(self.model_dump(exclude_defaults=True))

    def _check_entailment(self) -> None:
        if self.contradictions:
            raise ValueError("contradictions cannot be asked of an entailment model; remove it, or take method auto")
        if self.by is None or self.by.model is None:
            raise ValueError(
                "method entailment needs a model that is trained for it; name it in by, or take method auto"
            )
        if other := self.by.model_dump(exclude_defaults=True).keys() - {"model"}:
            raise ValueError(
                f"method entailment runs the model itself, so by is its name or folder only; remove by.{min(other)}"
            )

    @property
    def checks_names(self) -> bool:
        """Whether statements are checked by rules about names instead of by a model."""
        return self.method == "names"

    @property
    def asked_for_precision(self) -> float:
        """The share of kept statements that should be true, if no threshold is set."""
        return self.DEFAULT_PRECISION if self.precision is None else self.precision
