"""A block of YAML -> settings: what holds for every block."""

from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, model_validator


def _kinds(annotation: Any) -> set[Any]:
    """Find the types that a field can hold at its top: the members of unions, without what is inside lists."""
    if get_origin(annotation) is Annotated:
        return _kinds(get_args(annotation)[0])
    members = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else ()
    return set().union(*map(_kinds, members)) if members else {annotation}


class SettingsBlock(BaseModel):
    """A block of settings, without keys that nobody knows, in which `true` is no number."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _number_not_truth(cls, block: Any) -> Any:
        """Refuse `workers: true`, which pydantic would take for 1."""
        for name, field in cls.model_fields.items():
            value = block.get(name) if isinstance(block, Mapping) else None
            if isinstance(value, bool) and _kinds(field.annotation) & {int, float}:
                raise ValueError(f"{name} must be a number, got {str(value).lower()}")
        return block
