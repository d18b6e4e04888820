"""A document file -> its title and blocks of plain text, by suffix, through mammoth (DOCX), pypdfium2 (PDF), markdown-it and BeautifulSoup.

Nothing of a file is executed or fetched: scripts, styles and links' targets are dropped, external references of a DOCX stay unread, and
what comes out is plain text. With all they need these libraries take 25 MB (11 MB beside axolotl's own); markitdown with PDF and DOCX takes
268 MB, most of it for a model that guesses file types, and knows a PDF's text but not its headings.
"""

import importlib.util
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

from axolotl_augft.conversion.blocks import Converted
from axolotl_augft.errors import ConfigError

# What a hostile or mistaken file may take: bytes of markup or text, and of a DOCX's unpacked text. A PDF is read page by page.
MOST_BYTES = 50_000_000
_LIBRARIES = ("bs4", "charset_normalizer", "lxml", "mammoth", "markdown_it", "pypdfium2")
_DOCX_TEXT = "word/document.xml"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
# A title's paragraph stands above all headings, so these move down by one.
_STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name='Subtitle'] => p:fresh
p[style-name='heading 1'] => h2:fresh
p[style-name='heading 2'] => h3:fresh
p[style-name='heading 3'] => h4:fresh
p[style-name='heading 4'] => h5:fresh
p[style-name='heading 5'] => h6:fresh
"""


class Unusable(Exception):
    """A file that cannot become rows; its text says why, in a few words."""


def require_libraries() -> None:
    """Raises ConfigError where the libraries that read documents are not installed."""
    missing = [name for name in _LIBRARIES if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"augft.documents needs libraries that are not installed ({', '.join(missing)}); run: pip install 'axolotl-augft[documents]'"
        )


def convert(file: Path) -> Converted:
    """The title and blocks of a file.

    Raises:
        Unusable: It is broken, encrypted, too large, or holds no text.
    """
    try:
        converted = _CONVERTERS[file.suffix.lower()](file)
    except Unusable:
        raise
    except OSError as error:
        raise Unusable(f"cannot be read ({error.strerror or type(error).__name__})") from error
    except Exception as error:  # whatever a library says about a file that breaks its format; the text may quote the file
        raise Unusable(f"broken ({type(error).__name__})") from error
    if not any(not block.level for block in converted.blocks):
        raise Unusable("holds no text")
    return converted


def _markdown(file: Path) -> Converted:
    from axolotl_augft.conversion.html import from_markdown

    return from_markdown(_decoded(file))


def _html(file: Path) -> Converted:
    from axolotl_augft.conversion.html import from_html

    return from_html(_content(file))


def _text(file: Path) -> Converted:
    from axolotl_augft.conversion.blocks import paragraphs

    return Converted("", paragraphs(_decoded(file)))


def _docx(file: Path) -> Converted:
    import mammoth

    from axolotl_augft.conversion.html import from_html

    with file.open("rb") as stream:
        if stream.read(4) == _OLD_OFFICE:
            raise Unusable("encrypted, or an old .doc under another name")
        with zipfile.ZipFile(stream) as parts:
            if sum(part.file_size for part in parts.infolist() if part.filename.endswith(".xml")) > MOST_BYTES:
                raise Unusable(_too_large())
            if _DOCX_TEXT not in parts.namelist():
                raise Unusable("not a Word document, whatever its suffix says")
        stream.seek(0)
        html = mammoth.convert_to_html(stream, style_map=_STYLES, convert_image=mammoth.images.img_element(lambda image: {}))
    return from_html(html.value)


def _pdf(file: Path) -> Converted:
    from axolotl_augft.conversion.pdf import Encrypted, from_pdf

    try:
        converted = from_pdf(file)
    except Encrypted:
        raise Unusable("encrypted; save it without a password") from None
    if not converted.blocks:
        raise Unusable("holds no text (a scan?); run text recognition (OCR) over it first")
    return converted


def _content(file: Path) -> bytes:
    size = file.stat().st_size
    if size > MOST_BYTES:
        raise Unusable(_too_large())
    content = file.read_bytes()
    if not content.strip():
        raise Unusable("empty")
    return content


def _too_large() -> str:
    return f"more than {MOST_BYTES // 1_000_000} MB of text; split it"


def _decoded(file: Path) -> str:
    content = _content(file)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes

        best = from_bytes(content).best()
        if best is None:
            raise Unusable("not text, or of an unknown encoding; save it as UTF-8") from None
        text = str(best)
    if "\0" in text:
        raise Unusable("not text (it holds zero bytes)")
    return io.IncrementalNewlineDecoder(None, translate=True).decode(text)


_CONVERTERS: dict[str, Callable[[Path], Converted]] = {
    ".md": _markdown,
    ".markdown": _markdown,
    ".html": _html,
    ".htm": _html,
    ".pdf": _pdf,
    ".docx": _docx,
    ".txt": _text,
}
