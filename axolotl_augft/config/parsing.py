"""An `augft:` block from YAML -> settings, or a one-line error that says what is wrong with it."""

import difflib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from axolotl_augft.config.augft import AugftConfig, DocumentsConfig, SourceConfig
from axolotl_augft.config.augment import STRATEGIES
from axolotl_augft.config.mix import MixConfig, ReplayConfig
from axolotl_augft.config.teacher import REMOVABLE_FIELDS, SECRET_FIELD, TeacherConfig
from axolotl_augft.config.verify import VerifyConfig
from axolotl_augft.errors import ConfigError


def parse_augft(block: Any) -> AugftConfig:
    """Validate an `augft:` block; return settings that are validated already as they are.

    Raises:
        ConfigError: A key is unknown or its value is wrong. The one-line message names the first such key.
    """
    if isinstance(block, AugftConfig):
        return block
    if not isinstance(block, Mapping):
        raise ConfigError(f"augft must be a block of keys, got {type(block).__name__}; see docs/configuration.md")
    try:
        return AugftConfig.model_validate(_plain(block))
    except ValidationError as error:
        raise ConfigError(_one_line(error)) from None


def _plain(value: Any) -> Any:
    """Copy a block into plain dicts and lists, without the keys that are null.

    Axolotl's DictDefault returns None for a missing key, and pydantic must not take that for a value. A null for one of
    `REMOVABLE_FIELDS` in `extra_body` stays: it removes that field from the requests.
    """
    if isinstance(value, Mapping):
        plain = {str(k): _plain(v) for k, v in value.items() if v is not None}
        body = value.get("extra_body")
        if isinstance(body, Mapping):
            plain["extra_body"] |= {k: None for k in REMOVABLE_FIELDS if k in body and body[k] is None}
        return plain
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value


def _one_line(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    path = "augft" + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in first["loc"] if p not in STRATEGIES)
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    kind, value = first["type"], first.get("input")
    if kind == "extra_forbidden":
        return _unknown_key(path, first["loc"]) + more
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        named = value.get("strategy") if isinstance(value, dict) else value
        return f"{path}.strategy must be one of {', '.join(STRATEGIES)}, got {named!r}{more}"
    if kind == "value_error":
        return f"{path}: {first['msg'].removeprefix('Value error, ')}{more}"
    return f"{path}: {first['msg'][0].lower()}{first['msg'][1:]}, got {_shown(path, value)}{more}"


def _shown(path: str, value: Any) -> str:
    if SECRET_FIELD.search(path) or isinstance(value, dict):
        return f"a {type(value).__name__}"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _unknown_key(path: str, location: tuple[int | str, ...]) -> str:
    key = str(location[-1])
    known = _known_keys(location)
    if SECRET_FIELD.search(key) and not difflib.get_close_matches(key, known, n=1, cutoff=0.85):
        return (
            f"{path}: a literal key is refused; put it in an environment variable and name that in "
            f"augft.teacher.api_key_env"
        )
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
    return f"{path}: unknown key; {hint}"


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    if {"teacher", "by"} & set(location[:-1]):
        return list(TeacherConfig.model_fields)
    if "verify" in location[:-1]:
        return list(VerifyConfig.model_fields)
    blocks: dict[str, type[BaseModel]] = {"documents": DocumentsConfig, "mix": MixConfig, "replay": ReplayConfig}
    for name, block in blocks.items():
        if name in location[:-1]:
            return list(block.model_fields)
    if "augment" in location[:-1]:
        return list(next(STRATEGIES[str(p)] for p in location if p in STRATEGIES).model_fields)
    if "sources" in location[:-1]:
        return list(SourceConfig.model_fields)
    return [name for name in AugftConfig.model_fields if name != "val_set_size"]
