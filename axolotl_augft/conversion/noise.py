"""A parsed page -> the same page without what is no text of it: scripts, navigation, marks of links, hidden parts."""

import re

from bs4 import BeautifulSoup, Tag

from axolotl_augft.conversion.formulas import tex
from axolotl_augft.text.scripts import is_note_mark

# Elements that hold no content: code, styles, controls, and what every page of a site repeats.
_DROPPED = {
    *("script", "style", "title", "noscript", "template", "svg", "iframe", "canvas", "audio", "video", "datalist"),
    *("nav", "footer", "aside", "button", "select", "textarea", "ix:header"),
}
_ROLES = {
    *("navigation", "banner", "contentinfo", "complementary", "search", "menu", "menubar", "toolbar", "doc-toc"),
    *("doc-backlink", "doc-noteref"),
}
# Names (of classes and ids) that documentation tools, wikis and formula renderers give to marks and to copies of text.
_MARKS = {
    *("headerlink", "anchorjs-link", "heading-anchor", "header-anchor", "permalink", "hash-link", "viewcode-link"),
    *("footnote-ref", "footnote-reference", "footnote-back", "footnote-backref", "fn-backref"),
    *("mw-editsection", "mw-jump-link", "printfooter", "skip-link", "skiplink", "katex-html", "MathJax_Preview"),
}
# Names of navigation, and of what is navigation if half of its letters are links: a sidebar may be a box of text.
_NAVIGATION = {
    *("sphinxsidebar", "breadcrumb", "breadcrumbs", "navheader", "navfooter", "nextprevlink", "docnav", "footer"),
    *("navbox", "catlinks"),
}
_LIKELY = {"sidebar", "related", "toctree-wrapper", "toc", "tableofcontents", "navbar", "nav", "navigation"}
_HIDDEN_STYLE = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_WORD = re.compile(r"\w")
# A list or table of at least this many links, in which this part of the letters is in links, leads elsewhere.
_FEWEST_LINKS, _LINKED = 3, 0.9
# The same for a line of links, such as "Previous | Up | Next"; and its greatest length, in letters, if it turns pages.
_LINKED_BAR, _LONGEST_BAR = 0.75, 300
_LISTS, _LINES = ["ul", "ol", "dl", "table"], ["p", "div", "center", "address"]
_HEADINGS = [f"h{level}" for level in range(1, 7)]
_TURNS = {"next", "prev", "previous", "up", "start", "contents", "index"}
_SENTENCE_END = re.compile(r"[.!?。！？:]\W*$")


def remove_noise(page: BeautifulSoup, navigation: bool) -> None:
    """Take out of a parsed page what is no text of its own.

    Args:
        page: The page, which is changed.
        navigation: Whether it is a page of a site, so that lists of links are navigation; not so in a document.
    """
    _keep_tex(page)
    for tag in page.find_all(True):
        if not tag.decomposed and (_is_dropped(tag, navigation) or (tag.name == "a" and _is_mark(tag))):
            _remove(tag)
    for tag in page.find_all([*_LISTS, *_LINES]) if navigation else ():
        if not tag.decomposed and (_leads_elsewhere(tag) if tag.name in _LISTS else _is_link_bar(tag)):
            tag.decompose()


def _keep_tex(page: BeautifulSoup) -> None:
    """Put the TeX source of equations, which MathJax keeps in scripts and older pages in pictures, into the text."""
    scripts = page.find_all("script", type=re.compile("^math/tex"))
    for rendered in page.find_all(class_=["MathJax", "MathJax_Display"]) if scripts else ():
        rendered.decompose()
    for script in scripts:
        script.replace_with(tex(script.get_text()))
    for picture in page.find_all("img", alt=True, class_=re.compile("math|tex", re.IGNORECASE)):
        if picture.parent is not None and not picture.parent.find("math"):
            picture.replace_with(tex(str(picture["alt"])))


def _is_dropped(tag: Tag, navigation: bool) -> bool:
    if tag.name in _DROPPED or str(tag.get("role")) in _ROLES or _is_hidden(tag):
        return True
    names = {*(tag.get("class") or ()), tag.get("id")}
    if not names.isdisjoint(_MARKS) or (navigation and not names.isdisjoint(_NAVIGATION)):
        return True
    if not navigation or names.isdisjoint(_LIKELY):
        return False
    return 2 * _linked(tag.find_all("a", href=True)) >= len(_WORD.findall(tag.get_text()))


def _is_hidden(tag: Tag) -> bool:
    """Tell whether an element is one that no reader sees, and so no part of the text.

    The panel of a tab is seen once it is chosen, a part that is hidden `until-found` once it is searched for, and the
    MathML of an equation is hidden where a picture of it is shown.
    """
    hidden = tag.get("hidden")
    if hidden is None and not _HIDDEN_STYLE.search(str(tag.get("style", ""))):
        return False
    return tag.get("role") != "tabpanel" and hidden != "until-found" and tag.find("math") is None


def _is_mark(link: Tag) -> bool:
    """Tell whether a link is only a mark: a permalink (¶, #, a glyph), a footnote's number, or the way back from it.

    So are the lines of a table of contents in a DOCX.
    """
    href, text = str(link.get("href", "")), link.get_text().strip()
    if href.startswith("#_Toc"):
        return True
    if "#" not in href:
        return False
    if not _WORD.search(text):
        return not link.find(["img", "math"])
    raised = link.parent is not None and (link.parent.name == "sup" or link.find("sup") is not None)
    return is_note_mark(text) and (raised or text.startswith("["))


def _remove(tag: Tag) -> None:
    """Remove an element, and the superscript around it if nothing else was in that."""
    parent = tag.parent
    tag.decompose()
    if parent is not None and parent.name == "sup" and not _WORD.search(parent.get_text()):
        parent.decompose()


def _leads_elsewhere(tag: Tag) -> bool:
    """Tell whether a list or table is navigation: of links only, or with links to the next page and the one before."""
    links = tag.find_all("a", href=True)
    letters = len(_WORD.findall(tag.get_text()))
    return (len(links) >= _FEWEST_LINKS and _linked(links) >= _LINKED * letters) or _turns_pages(links, letters)


def _is_link_bar(tag: Tag) -> bool:
    """Tell whether a paragraph is no sentence but links: to other pages, to the next, or to a place on this page."""
    links = tag.find_all("a", href=True)
    if not links or tag.find(_LISTS + _LINES) or tag.find(["img", "math", "pre", *_HEADINGS]):
        return False
    text = tag.get_text().strip()
    letters = len(_WORD.findall(text))
    if _turns_pages(links, letters):
        return True
    on_page = all(str(link["href"]).startswith("#") for link in links)
    if _SENTENCE_END.search(text) and not on_page:
        return False
    fewest = 1 if on_page else _FEWEST_LINKS
    return len(links) >= fewest and _linked(links) >= (1 if on_page else _LINKED_BAR) * letters


def _turns_pages(links: list[Tag], letters: int) -> bool:
    keys = [link for link in links if link.get("accesskey") or _TURNS.intersection(link.get("rel") or ())]
    return len(keys) >= 2 and letters <= _LONGEST_BAR


def _linked(links: list[Tag]) -> int:
    return sum(len(_WORD.findall(link.get_text())) for link in links)
