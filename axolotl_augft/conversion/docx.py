"""A DOCX file -> its title and blocks, through mammoth; references to anything outside the file are not followed."""

import io
import re
import zipfile
from pathlib import Path

import mammoth
from bs4 import BeautifulSoup
from lxml import etree

from axolotl_augft.conversion.blocks import Converted, Unusable
from axolotl_augft.conversion.formulas import OMML, linear, omml_node
from axolotl_augft.conversion.html import from_fragment

MOST_XML = 5_000_000
"""Limit on the unpacked XML that mammoth reads, in bytes: about 1,000 pages.

Its time grows faster than the size: 4 MB take some seconds, 9 MB more than half a minute.
"""
_TYPES = "[Content_Types].xml"
# Links of mammoth to a note, and back from it.
_NOTE, _BACK = re.compile("^#(?:footnote|endnote)-[0-9]"), re.compile("^#(?:footnote|endnote)-ref-")
_HEADINGS = [f"h{level}" for level in range(1, 7)]
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
# Parts that mammoth does not need, and that are never unpacked: pictures, fonts, embedded files, themes, settings.
_NEEDLESS = re.compile(
    r"(?i)^(docProps|customXml|word/(theme|media|fonts|embeddings|activeX|charts|diagrams|glossary))/"
    r"|^word/(settings|webSettings|fontTable|stylesWithEffects)\.xml$|\.(png|jpe?g|gif|tiff?|bmp|emf|wmf|svg|odttf|bin)$"
)
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
            needed = _needed(parts)
    html = mammoth.convert_to_html(needed, style_map=_STYLES, convert_image=mammoth.images.img_element(lambda _: {}))
    return from_fragment(_with_notes_in_place(html.value))


def _needed(parts: zipfile.ZipFile) -> io.BytesIO:
    """Copy the parts that mammoth reads, none of them larger than what is left of `MOST_XML`.

    Raises:
        Unusable: The file is too large, or not a Word document.
    """
    copied = io.BytesIO()
    room, is_word = MOST_XML, False
    with zipfile.ZipFile(copied, "w") as copies:
        for name in dict.fromkeys(parts.namelist()):
            if name.endswith("/") or _NEEDLESS.search(name):
                continue
            with parts.open(name) as part:
                content = part.read(room + 1)
            room -= len(content)
            if room < 0:
                raise Unusable(f"more than {MOST_XML // 1_000_000} MB of XML; split it")
            is_word |= name == _TYPES and re.search(rb"wordprocessingml|ms-word", content) is not None
            copies.writestr(name, _with_equations(content))
    if not is_word:
        raise Unusable("not a Word document, despite its suffix")
    return copied


def _with_notes_in_place(html: str) -> str:
    """Move each footnote and endnote behind the paragraph that refers to it, and take the marks out."""
    page = BeautifulSoup(html, "lxml")
    for mark in reversed(page.find_all("a", href=_NOTE)):
        paragraph = mark.find_parent(["p", "li", *_HEADINGS])
        note = page.find("li", id=str(mark["href"])[1:])
        mark.decompose()
        if note is None or paragraph is None:
            continue
        for back in note.find_all("a", href=_BACK):
            back.decompose()
        if paragraph.name == "li":
            paragraph.append(note)
        else:
            paragraph.insert_after(note)
        note.name = "div"
    return str(page)


def _with_equations(part: bytes) -> bytes:
    """Replace each equation of a part by its text, because mammoth leaves equations out."""
    if OMML.encode() not in part or b"oMath" not in part:
        return part
    tree = etree.fromstring(part, etree.XMLParser(resolve_entities=False, no_network=True))
    for equation in list(tree.iter(f"{{{OMML}}}oMath")):
        run = etree.Element(f"{{{_WORD}}}r")
        text = etree.SubElement(run, f"{{{_WORD}}}t")
        text.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
        text.text, run.tail = linear(omml_node(equation)), equation.tail
        parent = equation.getparent()
        if parent is not None:
            parent.replace(equation, run)
    for display in list(tree.iter(f"{{{OMML}}}oMathPara")):
        _unwrap(display)
    changed: bytes = etree.tostring(tree, xml_declaration=True, encoding="UTF-8")
    return changed


def _unwrap(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is None:
        return
    place = parent.index(element)
    parent[place : place + 1] = [child for child in element if etree.QName(child).localname == "r"]
