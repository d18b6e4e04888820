"""Values -> blocks of data in the page, packed or plain, which no content of theirs can end or escape from.

A packed block is JSON, gzip and base64, which the browser unpacks with its own `DecompressionStream`. In a plain block,
JSON too, every `<`, `>` and `&` and both line separators of Unicode are escaped.
"""

import base64
import gzip
import json
from typing import IO, Any

import orjson

_LEVEL = 6
_ESCAPED = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


class Blocks:
    """Writes blocks of data to a file, one after the other.

    Args:
        file: Where they go, as the content of an HTML page.
        plain: Leave them unpacked, for browsers from before 2023.
    """

    def __init__(self, file: IO[bytes], plain: bool) -> None:
        self._file = file
        self._plain = plain

    def write(self, name: str, value: Any) -> None:
        """Write one block.

        Args:
            name: What it holds; blocks of one name are read in the order of writing.
            value: A value that JSON can hold. Lone surrogates in its texts are kept.
        """
        self._file.write(block(name, value, self._plain))


def block(name: str, value: Any, plain: bool) -> bytes:
    """Return a value as a script element that no browser runs."""
    content = (
        _escaped(value) if plain else base64.b64encode(gzip.compress(_encoded(value), compresslevel=_LEVEL, mtime=0))
    )
    coding = b"application/json" if plain else b"application/gzip"
    return b'<script type="%b" data-block="%b">%b</script>\n' % (coding, name.encode(), content)


def _encoded(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:
        # Lone surrogates, which orjson refuses.
        return json.dumps(value, separators=(",", ":")).encode()


def _escaped(value: Any) -> bytes:
    return _encoded(value).decode().translate(_ESCAPED).encode()
