"""A document file -> its title and blocks of plain text.

The suffix decides which library reads a file: mammoth (DOCX), pypdfium2 (PDF), BeautifulSoup (HTML), or markdown-it
and BeautifulSoup (Markdown). Nothing in a file is executed or fetched: scripts, styles and the targets of links are
dropped, external references of a DOCX are not followed, and the result is plain text.

With their dependencies, these libraries take 25 MB, 11 MB of it beyond what axolotl installs anyway. markitdown with
PDF and DOCX support takes 268 MB, most of it for a model that guesses file types, and it extracts a PDF's text but not
its headings.
"""

import codecs
import importlib.util
import io
import re
from collections.abc import Callable
from pathlib import Path

from axolotl_augft.conversion.blocks import MOST_BYTES, Converted, Unusable, too_large
from axolotl_augft.errors import ConfigError

# White space alone makes this part of a text in any script; a byte of UTF-16 is NUL for each character of ASCII.
_FEWEST_NULS = 0.01
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")
_LIBRARIES = ("bs4", "charset_normalizer", "lxml", "mammoth", "markdown_it", "pypdfium2")


def require_libraries() -> None:
    """Check that the libraries that read documents are installed.

    Raises:
        ConfigError: One is missing.
    """
    missing = [name for name in _LIBRARIES if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"augft.documents needs libraries that are not installed ({', '.join(missing)}); run: pip install "
            f"'axolotl-augft[documents]'"
        )


def convert(file: Path) -> Converted:
    """Convert a file, whose suffix must be in `CONVERTERS`.

    Raises:
        Unusable: The file cannot be read, is broken, encrypted or too large, or holds no text besides headings.
    """
    try:
        converted = CONVERTERS[file.suffix.lower()](file)
    except Unusable:
        raise
    except MemoryError as error:
        raise Unusable("needs too much memory; split it") from error
    except OSError as error:
        raise Unusable(f"cannot be read ({error.strerror or type(error).__name__})") from error
    except Exception as error:
        # The libraries raise anything for a malformed file, with messages that may quote it: only the type is named.
        raise Unusable(f"broken ({type(error).__name__})") from error
    if not any(not block.level for block in converted.blocks):
        raise Unusable("holds no text")
    return converted


def _markdown(file: Path) -> Converted:
    from axolotl_augft.conversion.html import from_markdown

    return from_markdown(_decoded(file))


def _html(file: Path) -> Converted:
    from axolotl_augft.conversion.html import from_html

    content = _content(file)
    encoding = _bare_utf16(content)
    return from_html(content.decode(encoding) if encoding else content)


def _text(file: Path) -> Converted:
    from axolotl_augft.conversion.blocks import paragraphs

    return Converted("", paragraphs(_decoded(file)))


def _docx(file: Path) -> Converted:
    from axolotl_augft.conversion.docx import from_docx

    return from_docx(file)


def _pdf(file: Path) -> Converted:
    from axolotl_augft.conversion.pdf import from_pdf

    return from_pdf(file)


def _content(file: Path) -> bytes:
    size = file.stat().st_size
    if size > MOST_BYTES:
        raise Unusable(too_large())
    content = file.read_bytes()
    if not content.strip():
        raise Unusable("empty")
    return content


def _bare_utf16(content: bytes) -> str | None:
    """Recognize UTF-16 without a byte order mark: NULs in every second place only, no control characters."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or len(content) % 2:
        return None
    nuls = content[::2].count(0), content[1::2].count(0)
    if min(nuls) > 0 or max(nuls) < len(content) * _FEWEST_NULS:
        return None
    encoding = "utf-16-be" if nuls[0] else "utf-16-le"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if _NO_TEXT.search(text) else encoding


def _decoded(file: Path) -> str:
    content = _content(file)
    try:
        text = content.decode(_bare_utf16(content) or "utf-8-sig")
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes

        best = from_bytes(content).best()
        if best is None:
            raise Unusable("not text, or of an unknown encoding; save it as UTF-8") from None
        text = str(best)
    if "\0" in text:
        raise Unusable("not text (it contains NUL bytes)")
    return io.IncrementalNewlineDecoder(None, translate=True).decode(text)


CONVERTERS: dict[str, Callable[[Path], Converted]] = {
    ".md": _markdown,
    ".markdown": _markdown,
    ".html": _html,
    ".htm": _html,
    ".pdf": _pdf,
    ".docx": _docx,
    ".txt": _text,
}
"""The converter for each suffix; each imports its library when it is called."""
