"""A DOCX file -> its title and blocks, through mammoth; references to anything outside the file are not followed."""

import zipfile
from pathlib import Path

import mammoth

from axolotl_augft.conversion.blocks import MOST_BYTES, Converted, Unusable, too_large
from axolotl_augft.conversion.html import from_html

_TEXT = "word/document.xml"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
# A paragraph styled as title ranks above all headings, so headings move down by one level.
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
    """Convert a DOCX file.

    Raises:
        Unusable: The file is encrypted, too large, or not a Word document.
        zipfile.BadZipFile: The file is broken.
    """
    with file.open("rb") as stream:
        if stream.read(4) == _OLD_OFFICE:
            raise Unusable("encrypted, or an old .doc under another name")
        with zipfile.ZipFile(stream) as parts:
            if sum(part.file_size for part in parts.infolist() if part.filename.endswith(".xml")) > MOST_BYTES:
                raise Unusable(too_large())
            if _TEXT not in parts.namelist():
                raise Unusable("not a Word document, despite its suffix")
        stream.seek(0)
        html = mammoth.convert_to_html(
            stream, style_map=_STYLES, convert_image=mammoth.images.img_element(lambda image: {})
        )
    return from_html(html.value)
