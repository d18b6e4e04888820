"""A DOCX file -> its title and blocks, through mammoth. References to anything outside the file stay unread."""

import zipfile
from pathlib import Path

import mammoth

from axolotl_augft.conversion.blocks import MOST_BYTES, Converted, Unusable, too_large
from axolotl_augft.conversion.html import from_html

_TEXT = "word/document.xml"
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


def from_docx(file: Path) -> Converted:
    """The title and blocks of a DOCX file.

    Raises:
        Unusable: It is encrypted, too large, or no Word document.
    """
    with file.open("rb") as stream:
        if stream.read(4) == _OLD_OFFICE:
            raise Unusable("encrypted, or an old .doc under another name")
        with zipfile.ZipFile(stream) as parts:
            if sum(part.file_size for part in parts.infolist() if part.filename.endswith(".xml")) > MOST_BYTES:
                raise Unusable(too_large())
            if _TEXT not in parts.namelist():
                raise Unusable("not a Word document, whatever its suffix says")
        stream.seek(0)
        html = mammoth.convert_to_html(
            stream, style_map=_STYLES, convert_image=mammoth.images.img_element(lambda image: {})
        )
    return from_html(html.value)
