"""The `augft.probe:` block: whether the student is asked first what it knows, and how it is reached."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, model_validator

from axolotl_augft.config.teacher import TeacherConfig
from axolotl_augft.config.values.block import SettingsBlock


class ProbeConfig(SettingsBlock):
    """How the student is asked what it knows before the teacher is asked.

    In YAML, `probe: true` is short for a block with all defaults.
    """

    student: TeacherConfig | None = Field(
        None,
        description="How the untrained student is served: a block like augft.teacher. Default: as the teacher, if that "
        "is the recipe's base_model, else base_model, served on this machine.",
    )
    questions: int = Field(
        4, ge=1, le=32, description="Maximum number of questions about a sentence, each about another of its names."
    )
    threshold: float = Field(
        0.8,
        gt=0,
        le=1,
        description="Share of the questions about a sentence that the student must answer right to know it, and share "
        "of the sentences of a document that it must know to know the document.",
    )

    @property
    def served(self) -> TeacherConfig:
        """How the student is served if it is not the teacher."""
        return self.student or TeacherConfig()

    @model_validator(mode="before")
    @classmethod
    def _true_is_short(cls, data: Any) -> Any:
        if data is True:
            return {}
        if not isinstance(data, Mapping | cls):
            raise ValueError(f"must be true, false or a block, got {data!r}")
        return data

    @model_validator(mode="after")
    def _student_answers_prompts(self) -> "ProbeConfig":
        if self.student is not None and self.student.batch:
            raise ValueError("student.batch is for a teacher's many requests; remove it")
        return self
