"""The keys in axolotl's schema: axolotl silently drops every other key of a recipe, so a typo would go unnoticed."""

import copy
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, get_args

from axolotl.cli.config import prepare_plugins
from axolotl.integrations.base import PluginManager
from axolotl.integrations.config import merge_input_args
from axolotl.utils.config import validate_config
from axolotl.utils.dict import DictDefault
from axolotl.utils.schemas.datasets import SFTDataset, UserDefinedPrompterType
from pydantic import AliasChoices, BaseModel

GPU = {"bf16": True, "fp8": False, "tf32": True, "n_gpu": 1, "n_node": 1, "compute_capability": "sm_90"}
# Our own block refuses unknown keys by itself. `ds_type` and the like are one model's; preference data has others.
_MODELS = {"datasets": (SFTDataset,), "test_datasets": (SFTDataset,), "type": (UserDefinedPrompterType,), "augft": ()}


@contextmanager
def registered(cfg: Mapping[str, Any]) -> Iterator[DictDefault]:
    """The recipe with its plugins registered, as in a process of its own."""
    manager, hook = PluginManager.get_instance(), sys.excepthook
    manager.plugins.clear()
    raw = DictDefault(copy.deepcopy(dict(cfg)))
    try:
        prepare_plugins(raw)
        yield raw
    finally:
        manager.plugins.clear()
        sys.excepthook = hook


def validated(cfg: Mapping[str, Any], **gpu: Any) -> DictDefault:
    """The recipe as axolotl's own command line would have it on these GPUs."""
    with registered(cfg) as raw:
        return validate_config(raw, capabilities={**GPU, **gpu}, env_capabilities={"torch_version": "2.11.0"})


def dropped_keys(cfg: Mapping[str, Any]) -> list[str]:
    """The keys of a recipe that axolotl, with the recipe's plugins, does not know."""
    with registered(cfg):
        schema, _ = merge_input_args()
    return list(unknown_keys(schema, cfg))


def unknown_keys(model: type[BaseModel], block: Mapping[str, Any], where: str = "") -> Iterator[str]:
    """The paths of all keys of a block, at any depth, that a model of axolotl's does not have."""
    fields = {name: field for key, field in model.model_fields.items() for name in (key, *_aliases(field))}
    for key, value in block.items():
        if key not in fields:
            yield f"{where}{key}"
            continue
        models = _MODELS.get(key, tuple(_models(fields[key].annotation)))
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, Mapping) and models:
                yield from min((list(unknown_keys(m, item, f"{where}{key}.")) for m in models), key=len)


def _aliases(field: Any) -> Iterator[str]:
    for alias in (field.alias, field.validation_alias):
        yield from (a for a in (alias.choices if isinstance(alias, AliasChoices) else [alias]) if isinstance(a, str))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in an annotation such as `list[A | B] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
