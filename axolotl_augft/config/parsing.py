"""An `augft:` block from YAML -> settings, or a one-line error that says what is wrong with it."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from axolotl_augft.config.augft import AugftConfig, DocumentsConfig, SourceConfig
from axolotl_augft.config.augment import STRATEGIES
from axolotl_augft.config.mix import MixConfig, ReplayConfig
from axolotl_augft.config.probe import ProbeConfig
from axolotl_augft.config.teacher import REMOVABLE_FIELDS, TeacherConfig, TeacherPrice
from axolotl_augft.config.values.secret_names import SECRET_FIELD
from axolotl_augft.config.verify import VerifyConfig
from axolotl_augft.errors import ConfigError

_TAKES = "Input should be "
"""What pydantic's errors begin with that say what a value can be."""
_BLOCKS: dict[str, type[BaseModel]] = {
    "price": TeacherPrice,
    "teacher": TeacherConfig,
    "by": TeacherConfig,
    "student": TeacherConfig,
    "verify": VerifyConfig,
    "probe": ProbeConfig,
    "documents": DocumentsConfig,
    "mix": MixConfig,
    "replay": ReplayConfig,
}
"""The model of each block, inner blocks first."""


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
        return AugftConfig.model_validate(plain := _plain(block))
    except ValidationError as error:
        raise ConfigError(_one_line(error, plain)) from None


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


@dataclass(frozen=True)
class _Fault:
    """One of pydantic's errors.

    Attributes:
        path: The keys and indices that lead to it in the user's block.
        details: What pydantic says of it.
    """

    path: tuple[int | str, ...]
    details: ErrorDetails

    @property
    def is_unknown_key(self) -> bool:
        """Whether a key is there that nobody knows."""
        return self.details["type"] == "extra_forbidden"

    def contains(self, other: "_Fault") -> bool:
        """Tell whether another error is about the same value or one inside it."""
        return other.path[: len(self.path)] == self.path


def _fault(details: ErrorDetails, block: Any) -> _Fault:
    """Find an error in the block: pydantic's location also names strategies and the members of unions."""
    path: list[int | str] = []
    for part in details["loc"]:
        inner = block if isinstance(block, dict) else dict(enumerate(block)) if isinstance(block, list) else {}
        if part in inner:
            path.append(part)
            block = inner[part]
    missing = details["loc"][-1:] if details["type"] == "missing" else ()
    return _Fault((*path, *missing), details)


def _one_line(error: ValidationError, block: Any) -> str:
    """Say what is wrong: an unknown key first, which may be what another key is missing for."""
    faults = [_fault(details, block) for details in error.errors(include_url=False)]
    first = next((fault for fault in faults if fault.is_unknown_key), faults[0])
    told = max(filter(first.contains, faults), key=lambda fault: len(fault.path))
    others = len({fault.path for fault in faults if not fault.contains(told)})
    return _what_is_wrong(told, faults) + (f" (and {others} more)" if others else "")


def _what_is_wrong(fault: _Fault, faults: list[_Fault]) -> str:
    path = "augft" + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in fault.path)
    location, kind, value = fault.details["loc"], fault.details["type"], fault.details["input"]
    if fault.is_unknown_key:
        return _unknown_key(path, location)
    if kind in ("union_tag_invalid", "union_tag_not_found", "model_attributes_type"):
        named = value.get("strategy") if isinstance(value, dict) else value
        return f"{path}.strategy must be one of {', '.join(STRATEGIES)}, got {named!r}"
    if kind == "model_type":
        keys = ", ".join(_known_keys((*location, "")))
        return f"{path}: must be a block of keys, got {_shown(path, value)}; known keys: {keys}"
    if kind == "value_error":
        return f"{path}: {fault.details['msg'].removeprefix('Value error, ')}"
    if kind == "missing":
        return f"{path}: field required"
    message = fault.details["msg"]
    if message.startswith(_TAKES):
        # Each member of a union says what it takes.
        same = (f.details["msg"] for f in faults if f.path == fault.path)
        message = _TAKES + ", or ".join(dict.fromkeys(m.removeprefix(_TAKES) for m in same if m.startswith(_TAKES)))
    return f"{path}: {message[0].lower()}{message[1:]}, got {_shown(path, value)}"


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
    for name, block in _BLOCKS.items():
        if name in location[:-1]:
            return list(block.model_fields)
    if "augment" in location[:-1]:
        return list(next(STRATEGIES[str(p)] for p in location if p in STRATEGIES).model_fields)
    if "sources" in location[:-1]:
        return list(SourceConfig.model_fields)
    return [name for name in AugftConfig.model_fields if name != "val_set_size"]
