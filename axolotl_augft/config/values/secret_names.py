"""The names and values of settings -> whether they look like secrets, which no recipe may hold."""

import re
from collections.abc import Mapping
from typing import Any

_WORD_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^0-9A-Za-z]+")
SECRET_FIELD = re.compile(r"(?i)(^|_)(key|api_?key|token|secret|password|authorization|sig|signature)$")
_SECRET_VALUE = re.compile(r"\s*(sk-|hf_|gsk_|ghp_|xox|AKIA|(?i:bearer|basic)\s+)\S{6,}")


def is_secret_name(name: str) -> bool:
    """Tell whether a name looks like a secret's, however it joins its words: `api_key`, `X-Api-Key`, `accessToken`."""
    return bool(SECRET_FIELD.search(_WORD_BOUNDARY.sub("_", name.strip())))


def is_secret_value(value: str) -> bool:
    """Tell whether a text begins as keys of well-known services do."""
    return bool(_SECRET_VALUE.match(value))


def secret_field(value: Any) -> str | None:
    """Return the first key at any depth whose name or value looks like a secret; None if there is none."""
    if isinstance(value, Mapping):
        for name, content in value.items():
            if is_secret_name(str(name)) or (isinstance(content, str) and is_secret_value(content)):
                return str(name)
        return secret_field(list(value.values()))
    if isinstance(value, str) and is_secret_value(value):
        return "a list"
    if isinstance(value, list):
        return next((found for v in value if (found := secret_field(v))), None)
    return None
