"""The `augft.mix` and `augft.replay` blocks: what shares of the trained tokens the rows of each kind make up."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, field_validator, model_validator

from axolotl_augft.config.values.block import SettingsBlock

MAX_REPEATS = 50
"""How many times a row may be trained on per epoch to reach a share."""


class MixConfig(SettingsBlock):
    """Shares of source rows and augmentations in what is trained on."""

    source: float = Field(gt=0, lt=1, description="Share of the source rows in the trained tokens of both.")
    augmented: float = Field(gt=0, lt=1, description="Share of the augmentations, likewise.")

    @model_validator(mode="after")
    def _sum_to_one(self) -> "MixConfig":
        if not math.isclose(total := self.source + self.augmented, 1, abs_tol=1e-6):
            raise ValueError(
                f"the shares must sum to 1, got {self.source:g} + {self.augmented:g} = {total:g}; replay has its own"
            )
        return self


class ReplayConfig(SettingsBlock):
    """General data that is trained on beside the sources and never shown to the teacher.

    In YAML, a bare path is short for a block with this `path` and the defaults.
    """

    questions: ClassVar[str] = "questions"
    """The `path` that stands for the package's own questions and answers."""

    path: str = Field(
        min_length=1,
        description="File, folder or hub name of the data, as in a datasets entry; or `questions`, the package's own "
        "120 questions with answers about general things.",
    )
    share: float = Field(
        0.1,
        gt=0,
        lt=1,
        description="Share of its rows in all trained tokens. Rows are drawn, or repeated, to reach it.",
    )
    type: str | dict[str, Any] | None = Field(
        None,
        description="`type` of the rows, as in a datasets entry. Default: required; for `questions`, chat_template if "
        "the student has a chat template, else completion.",
    )
    name: str | None = Field(None, min_length=1, description="Configuration of the data set on the hub.")
    split: str | None = Field(None, min_length=1, description="Split to take. Default: train.")
    data_files: str | list[str] | None = Field(None, description="Files of a folder to take. Default: all.")
    ds_type: str | None = Field(None, min_length=1, description="File format, e.g. json. Default: by the file's name.")
    revision: str | None = Field(None, min_length=1, description="Revision of the data set on the hub.")
    field: str | None = Field(None, min_length=1, description="Text column of completion rows. Default: text.")
    field_messages: str | None = Field(
        None, min_length=1, description="Column of a chat's messages. Default: messages."
    )
    message_property_mappings: dict[str, str] | None = Field(
        None, description="Keys of a message, as in a datasets entry. Default: role and content."
    )

    @property
    def is_built_in(self) -> bool:
        """Whether the package's own questions are meant."""
        return self.path == self.questions

    @model_validator(mode="before")
    @classmethod
    def _bare_path(cls, data: Any) -> Any:
        if not isinstance(data, str | Mapping):
            raise ValueError(f"must be {cls.questions}, a path, or a block with path and type, got {data!r}")
        return data if isinstance(data, Mapping) else {"path": data}

    @field_validator("type")
    @classmethod
    def _not_empty(cls, value: Any) -> Any:
        if value == "":
            raise ValueError("must not be empty; name the type of the rows, e.g. chat_template")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> "ReplayConfig":
        if not self.is_built_in and self.type is None:
            raise ValueError(
                f"type is missing; say how the rows of {self.path!r} are laid out, e.g. chat_template or "
                f"completion; or take replay: {self.questions}, the package's own"
            )
        if self.is_built_in and self.type not in (None, "chat_template", "completion"):
            raise ValueError(f"type of the package's questions must be chat_template or completion, got {self.type!r}")
        others = set(self.model_dump(exclude_none=True)) - {"path", "share", "type"}
        if self.is_built_in and others:
            raise ValueError(
                f"{', '.join(sorted(others))}: the package's questions have nothing to choose; for a folder named "
                "questions, write ./questions"
            )
        return self
