"""An equation, in MathML (of HTML) or OMML (of DOCX) -> text on one line, such as sqrt(a^2 + b^2)/2.

An equation that carries its TeX source is written as that.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lxml import etree

from axolotl_augft.text.scripts import grouped

OMML = "http://schemas.openxmlformats.org/officeDocument/2006/math"
_DEEPEST = 100


@dataclass(frozen=True)
class Node:
    """An element of an equation.

    Attributes:
        name: Its name without prefix, such as `mfrac` (MathML) or `f` (OMML).
        text: The text in it.
        children: The elements in it.
        values: Its attributes (MathML) or properties (OMML).
    """

    name: str
    text: str
    children: tuple["Node", ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)


def linear(node: Node) -> str:
    """Write an equation on one line."""
    return " ".join(_write(node).split())


def omml_node(element: etree._Element, depth: int = 0) -> Node:
    """Read an element of Office's mathematical markup.

    Raises:
        RecursionError: It is nested too deeply to be an equation.
    """
    if depth > _DEEPEST:
        raise RecursionError
    values: dict[str, str] = {}
    children = []
    for child in element.iterchildren(tag=etree.Element):
        name = etree.QName(child).localname
        if name.endswith("Pr"):
            values |= {etree.QName(p).localname: p.get(f"{{{OMML}}}val", "") for p in child.iterchildren(etree.Element)}
        else:
            children.append(omml_node(child, depth + 1))
    return Node(etree.QName(element).localname, element.text or "", tuple(children), values)


def tex(source: str) -> str:
    """Clean the TeX source that an equation carries."""
    source = " ".join(source.split())
    shown = re.fullmatch(r"\{\\(?:displaystyle|textstyle) (.*)\}", source)
    return shown[1].strip() if shown else source


def _write(node: Node) -> str:
    writer = _WRITERS.get(node.name)
    if writer is not None:
        return writer(node)
    return _row(node) if node.children else node.text


def _row(node: Node) -> str:
    """Write the children side by side, with spaces around the operators between two operands."""
    line = ""
    for before, child in zip((None, *node.children), node.children, strict=False):
        if child.name == "mo":
            between = before is not None and before.name != "mo"
            line += _operator(child.text.strip(), between)
        else:
            line += _write(child)
    return line


def _operator(sign: str, between: bool) -> str:
    if sign in _INVISIBLE:
        return _INVISIBLE[sign]
    if sign in (",", ";"):
        return f"{sign} "
    return f" {sign} " if between and sign in _SPACED else sign


def _parts(node: Node) -> list[str]:
    return [_write(child).strip() for child in node.children]


def _at(node: Node, place: int) -> str:
    return _write(node.children[place]).strip() if place < len(node.children) else ""


def _named(node: Node, name: str) -> str:
    return next((_write(child).strip() for child in node.children if child.name == name), "")


def _based(base: str, low: str = "", high: str = "") -> str:
    return base + (f"_{grouped(low, '_')}" if low else "") + (f"^{grouped(high)}" if high else "")


def _fraction(above: str, below: str) -> str:
    return f"{grouped(above)}/{grouped(below)}"


def _over(node: Node) -> str:
    above, below = _at(node, 0), _at(node, 1)
    return f"binom({above}, {below})" if node.values.get("linethickness") in ("0", "0pt") else _fraction(above, below)


def _omml_over(node: Node) -> str:
    above, below = _named(node, "num"), _named(node, "den")
    return f"binom({above}, {below})" if node.values.get("type") == "noBar" else _fraction(above, below)


def _root(base: str, degree: str) -> str:
    return f"root({base}, {degree})" if degree else f"sqrt({base})"


def _fenced(node: Node) -> str:
    separator = f"{(node.values.get('separators') or ',').strip()[:1]} "
    return node.values.get("open", "(") + separator.join(_parts(node)) + node.values.get("close", ")")


def _delimited(node: Node) -> str:
    separator = node.values.get("sepChr", "|")
    return node.values.get("begChr", "(") + separator.join(_parts(node)) + node.values.get("endChr", ")")


def _nary(node: Node) -> str:
    sign = _based(node.values.get("chr", "∫"), _named(node, "sub"), _named(node, "sup"))
    return f" {sign} {_named(node, 'e')} "


def _math(node: Node) -> str:
    """Write a whole MathML equation: its TeX source, if it carries one."""
    source = _annotation(node) or node.values.get("alttext", "")
    return tex(source) if source.strip() else _row(node)


def _annotation(node: Node) -> str:
    if node.name == "annotation":
        return node.text if "tex" in node.values.get("encoding", "").lower() else ""
    return next(filter(None, map(_annotation, node.children)), "")


def _list(separator: str, opening: str = "", closing: str = "") -> Callable[[Node], str]:
    return lambda node: opening + separator.join(filter(None, _parts(node))) + closing


def _scripts(low: int | None, high: int | None) -> Callable[[Node], str]:
    """A writer of MathML: the base comes first, the scripts stand at these places."""
    return lambda n: _based(_at(n, 0), "" if low is None else _at(n, low), "" if high is None else _at(n, high))


def _base_and(low: str, high: str) -> Callable[[Node], str]:
    """A writer of OMML: base `e`, and the scripts by their names."""
    return lambda n: _based(_named(n, "e"), low and _named(n, low), high and _named(n, high))


def _nothing(node: Node) -> str:
    return ""


_INVISIBLE = {"\u2061": " ", "\u2062": "", "\u2063": "", "\u2064": ""}
_SPACED = frozenset("=<>≤≥≠≈≡∼≅∝→←⇒⇔↦∈∉⊂⊆∪∩∧∨+-−±∓×·÷≪≫")
_WRITERS: Mapping[str, Callable[[Node], str]] = {
    "math": _math,
    **dict.fromkeys(("annotation", "annotation-xml", "mphantom"), _nothing),
    "mspace": lambda node: " ",
    "mo": lambda node: _operator(node.text.strip(), between=False),
    "mfrac": _over,
    "msup": _scripts(None, 1),
    "mover": _scripts(None, 1),
    "msub": _scripts(1, None),
    "munder": _scripts(1, None),
    "msubsup": _scripts(1, 2),
    "munderover": _scripts(1, 2),
    "msqrt": lambda node: _root(_row(node).strip(), ""),
    "mroot": lambda node: _root(_at(node, 0), _at(node, 1)),
    "mfenced": _fenced,
    "mtable": _list("; ", "[", "]"),
    "mtr": _list(", "),
    "f": _omml_over,
    "sSup": _base_and("", "sup"),
    "sSub": _base_and("sub", ""),
    "sSubSup": _base_and("sub", "sup"),
    "sPre": lambda node: _based("", _named(node, "sub"), _named(node, "sup")) + _named(node, "e"),
    "limLow": _base_and("lim", ""),
    "limUpp": _base_and("", "lim"),
    "rad": lambda node: _root(_named(node, "e"), _named(node, "deg")),
    "d": _delimited,
    "nary": _nary,
    "func": lambda node: f"{_named(node, 'fName')} {_named(node, 'e')}",
    "acc": lambda node: _named(node, "e") + node.values.get("chr", "\u0302"),
    "m": _list("; ", "[", "]"),
    "mr": _list(", "),
    "eqArr": _list("; "),
}
