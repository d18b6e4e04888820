"""The address of a server -> the address that paths are added to, or why it cannot be one."""

import re
from urllib.parse import parse_qsl, urlsplit

from axolotl_augft.config.values.secret_names import is_secret_name

_SEVERAL_URLS = re.compile(r"[\s,]")


def checked_address(value: str) -> str:
    """Return an address of a server as paths can be added to it.

    Raises:
        ValueError: It is none, or holds a secret.
    """
    parts = urlsplit(value)
    if parts.username or parts.password or any(is_secret_name(k) for k, _ in parse_qsl(parts.query)):
        raise ValueError("must not hold credentials; put the key in an environment variable and name it in api_key_env")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http:// or https:// address, e.g. http://localhost:8000/v1")
    if _SEVERAL_URLS.search(value):
        raise ValueError("must be one address without spaces and commas; give several as a list: [http://…, http://…]")
    if parts.query or parts.fragment:
        raise ValueError(
            "must be an address without ? and #, since paths are added to it, e.g. http://localhost:8000/v1"
        )
    return value.rstrip("/")
