"""The `augft:` block of a YAML recipe -> typed settings.

Every default is set in this module, `teacher` or `augment`, and nowhere else. `parsing` validates a block once; after
that, its values are plain and typed. With `use_ray`, axolotl dumps the validated config and validates it again, and the
models survive that round trip.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, field_validator, model_validator

from axolotl_augft.config.augment import Augment, default_augment, refuse_equal_entries, with_named_strategies
from axolotl_augft.config.mix import MixConfig, ReplayConfig
from axolotl_augft.config.probe import ProbeConfig
from axolotl_augft.config.teacher import TeacherConfig
from axolotl_augft.config.values.block import SettingsBlock
from axolotl_augft.config.verify import VerifyConfig


class SourceConfig(SettingsBlock):
    """Settings of one `datasets` entry."""

    path: str = Field(min_length=1, description="`path` of the datasets entry that these settings are for.")
    augment: list[Augment] = Field(
        description="Augmentations for this entry, in place of augft.augment. An empty list requests none."
    )

    @model_validator(mode="before")
    @classmethod
    def _bare_names(cls, data: Any) -> Any:
        return with_named_strategies(data)

    @model_validator(mode="after")
    def _no_entry_twice(self) -> "SourceConfig":
        refuse_equal_entries(self.augment)
        return self


class DocumentsConfig(SettingsBlock):
    """Files and folders whose text is trained on.

    In YAML, a bare path or a list of paths is short for a block with these `paths` and the defaults.
    """

    paths: list[Annotated[str, Field(min_length=1)]] = Field(
        min_length=1,
        description="Files and folders to train on (Markdown, HTML, PDF, DOCX, text), beside or in place of "
        "`datasets`. `documents: ./handbook/` is a short form.",
    )
    on_error: Literal["skip", "stop"] = Field(
        "skip",
        description=(
            "What to do with a broken, encrypted, empty or scanned file: `skip` it with a warning, or `stop` the run."
        ),
    )

    @model_validator(mode="before")
    @classmethod
    def _bare_paths(cls, data: Any) -> Any:
        block = data if isinstance(data, Mapping) else {"paths": data}
        return {**block, "paths": [block["paths"]]} if isinstance(block.get("paths"), str) else block

    @field_validator("paths")
    @classmethod
    def _none_twice(cls, value: list[str]) -> list[str]:
        for i, path in enumerate(value):
            for j, other in enumerate(value):
                if i != j and Path(os.path.abspath(path)).is_relative_to(os.path.abspath(other)):
                    raise ValueError(
                        f"{path!r} is or lies in {other!r}, so its rows would be there twice; remove one of them"
                    )
        return value


class AugftConfig(SettingsBlock):
    """The whole `augft:` block."""

    documents: DocumentsConfig | None = Field(None, description="Files and folders whose text is trained on.")

    teacher: TeacherConfig = Field(
        default_factory=TeacherConfig,
        description="The model that writes the augmentations. Default: base_model, served on this machine.",
    )
    augment: list[Augment] = Field(
        default_factory=default_augment,
        description=(
            "Which augmentations to request. An empty list requests none and only splits sentences. Default: local "
            "and global."
        ),
    )
    sources: list[SourceConfig] = Field(
        default_factory=list,
        description="Settings for single datasets entries. Entries with the same global settings share context groups.",
    )
    sentence_splitting: Literal["none", "independent", "cumulative"] = Field(
        "none",
        description="Split each training row into one row per sentence: `independent` trains each sentence alone, "
        "`cumulative` trains it after the sentences before it.",
    )
    language: str = Field(
        "en", pattern=r"^[a-z]{2,3}$", description="ISO 639 code of the documents' language, used to split sentences."
    )
    exclude: list[str] = Field(
        default_factory=list, description="Paths of datasets entries to train on without augmenting them."
    )
    verify: VerifyConfig | None = Field(
        None,
        description="Reject statements that their source does not support, by a model that is asked about each. "
        "`teacher` is short for a block with all defaults, `names` for rules that need no model, `none` for no check.",
    )
    probe: ProbeConfig | None = Field(
        None,
        description="Ask the untrained student first, and the teacher only about sentences and documents that it does "
        "not know. `true` is short for a block with all defaults.",
    )
    marks: str | None = Field(
        None,
        min_length=1,
        description="File of statements that you took out or brought in by hand, as the page of `axolotl augft report` "
        "and `axolotl augft mark` save it. It is applied after everything else, and needs no teacher.",
    )
    include_original: bool = Field(True, description="Also train on the source rows themselves.")
    repeat_original: int = Field(
        1, ge=1, le=1000, description="How many times each source row is trained on per epoch."
    )
    repeat_augmented: int = Field(
        1, ge=1, le=1000, description="How many times each augmentation is trained on per epoch."
    )
    mix: MixConfig | None = Field(
        None,
        description="Shares of source rows and augmentations in the trained tokens, in place of repeat counts. Every "
        "row is trained on at least once.",
    )
    replay: ReplayConfig | None = Field(
        None,
        description="General data that is trained on too, and never shown to the teacher. `replay: questions` is a "
        "short form.",
    )
    max_augmented_per_original: int | None = Field(
        None, ge=1, description="Maximum number of augmentations per document. Default: no limit."
    )
    output_dir: str | None = Field(
        None, min_length=1, description="Folder for everything the stage writes. Default: <dataset_prepared_path>/augft"
    )
    store: str | None = Field(
        None, min_length=1, description="File of the response store. Default: <output_dir>/responses.sqlite"
    )
    max_failed_fraction: float = Field(
        0, ge=0, le=1, description="Maximum share of requests that may stay unanswered after all retries."
    )
    max_cost_usd: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description=(
            "Spending limit in dollars for this recipe's answers, over all its runs. A request that could exceed it "
            "is not sent."
        ),
    )
    max_requests: int | None = Field(
        None,
        ge=1,
        description=(
            "Maximum number of answered requests for this recipe, over all its runs. Retries of a request do not count."
        ),
    )
    wait_timeout: float = Field(
        86400,
        gt=0,
        description="How long other ranks, nodes and launches wait for the process that runs the stage, in seconds.",
    )
    instructions: Literal["keep", "drop"] = Field(
        "keep",
        description="What becomes of passages of plain text that read as instructions to a language model, such as "
        '"Ignore all previous instructions". `keep` shows them to the teacher in requests about their own document '
        "only. `drop` shows them in none, and leaves them out of the rows that are trained on.",
    )
    workers: Literal["auto"] | Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="Number of processes that convert documents, judge answers and make training rows; `auto` for one "
        "for each core. With `use_ray`, number of tasks on the Ray cluster for each strategy. The result is the "
        "same for any number. Default: 1; with use_ray, one for each CPU of the cluster.",
    )
    val_set_size: float | None = Field(
        None,
        ge=0,
        description="Set by the plugin: the recipe's val_set_size, once the held-out rows are on disk.",
    )

    @property
    def models(self) -> list[TeacherConfig]:
        """The models that are asked: the teacher, and those that verify or are probed if they are other ones."""
        verifies = self.verify.by if self.verify else None
        probed = self.probe.served if self.probe else None
        return [self.teacher, *filter(None, (verifies, probed))]

    @model_validator(mode="before")
    @classmethod
    def _bare_names(cls, data: Any) -> Any:
        return with_named_strategies(data)

    @field_validator("verify", mode="before")
    @classmethod
    def _no_check(cls, value: Any) -> Any:
        return None if value == "none" else value

    @field_validator("probe", mode="before")
    @classmethod
    def _no_probe(cls, value: Any) -> Any:
        return None if value is False else value

    @model_validator(mode="after")
    def _something_to_do(self) -> "AugftConfig":
        if not self._asks and self.sentence_splitting == "none" and self.replay is None:
            raise ValueError(
                "augment is empty and sentence_splitting is none, without replay: there is nothing to do; name a "
                "strategy or drop the plugin"
            )
        return self

    @model_validator(mode="after")
    def _mix_stands_alone(self) -> "AugftConfig":
        if self.mix is None:
            return self
        if not self.include_original:
            raise ValueError("mix wants source rows, but include_original is false; remove one of them")
        if not self._asks:
            raise ValueError("mix wants augmentations, but augment is empty; name a strategy or remove mix")
        for key in ("repeat_original", "repeat_augmented"):
            if getattr(self, key) > 1:
                raise ValueError(f"mix and {key} both say how often rows are trained on; remove one of them")
        return self

    @model_validator(mode="after")
    def _probe_spares_requests(self) -> "AugftConfig":
        entries = [*self.augment, *(entry for source in self.sources for entry in source.augment)]
        if self.probe is not None and not any(entry.asks for entry in entries):
            raise ValueError(
                "probe spares the teacher requests, but no entry of augment asks it anything; remove probe"
            )
        return self

    @property
    def _asks(self) -> bool:
        """Whether any augmentation is asked for."""
        return bool(self.augment or any(source.augment for source in self.sources))

    @model_validator(mode="after")
    def _no_entry_twice(self) -> "AugftConfig":
        refuse_equal_entries(self.augment)
        paths = [source.path for source in self.sources]
        for i, path in enumerate(paths):
            if path in paths[:i]:
                raise ValueError(f"sources[{i}] repeats the path {path!r}; give all its settings in one place")
        return self


class AugftArgs(BaseModel):
    """The fields that the plugin adds to axolotl's own schema (`AugFTPlugin.get_input_args`).

    The block is optional here; `AugFTPlugin.register` refuses a config that lists the plugin without it.
    """

    augft: AugftConfig | None = Field(None, description="Augmented fine-tuning (axolotl-augft).")
