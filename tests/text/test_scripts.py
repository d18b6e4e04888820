"""Superscripts and subscripts as they come out of HTML, Markdown and DOCX: no digit reads as one of its base."""

import pytest

from axolotl_augft.conversion.html import from_html, from_markdown

CASES = [
    # Powers and exponents.
    ("6.022×10<sup>23</sup> mol", "6.022×10^23 mol"),
    ("2<sup>10</sup> = 1024", "2^10 = 1024"),
    ("10<sup>-3</sup> m and 10<sup>−9</sup> s", "10^-3 m and 10^−9 s"),
    ("10<sup>6</sup>–10<sup>9</sup>", "10^6–10^9"),
    ("10<sup>0.5</sup>", "10^0.5"),
    ("x<sup>2</sup>y", "x^2 y"),
    ("x<sup>2n</sup> + e<sup>ix</sup>", "x^(2n) + e^(ix)"),
    ("10<sup>(n+1)</sup> and a<sup>n-1</sup>", "10^(n+1) and a^(n-1)"),
    ("(a+b)<sup>2</sup>", "(a+b)^2"),
    ("10<sup>2<sup>3</sup></sup>", "10^(2^3)"),
    ("<i>E</i> = <i>mc</i><sup>2</sup>", "E = mc^2"),
    ("5 km<sup>2</sup>", "5 km^2"),
    ("10<sup><b>2</b></sup><sup>3</sup>", "10^23"),
    # Subscripts.
    ("H<sub>2</sub>O, CO<sub>2</sub>.", "H2O, CO2."),
    ("C<sub>6</sub>H<sub>12</sub>O<sub>6</sub>", "C6H12O6"),
    ("Al<sub>2</sub>(SO<sub>4</sub>)<sub>3</sub>", "Al2(SO4)3"),
    ("SO<sub>4</sub><sup>2−</sup> and Ca<sup>2+</sup>", "SO4^2− and Ca^2+"),
    ("log<sub>2</sub>8 = 3", "log_2 8 = 3"),
    ("101<sub>2</sub> = 5", "101_2 = 5"),
    ("x<sub>i</sub><sup>2</sup> + x<sub>1</sub>", "x_i^2 + x_1"),
    ("a<sub>n+1</sub> and V<sub>max</sub>", "a_(n+1) and V_max"),
    # What is raised and no exponent.
    ("the 1<sup>st</sup>, 2<sup>nd</sup> and n<sup>th</sup>", "the 1st, 2nd and nth"),
    ("le 1<sup>er</sup> mai, la 2<sup>e</sup>, 3<sup>ème</sup>", "le 1er mai, la 2e, 3ème"),
    ("Acme<sup>TM</sup> and Acme<sup>®</sup>", "Acme™ and Acme®"),
    ("<sup>14</sup>C dating of <sup>235</sup>U", "14C dating of 235U"),
    # Marks of footnotes.
    ("It is paid in full.<sup>1</sup> Next.", "It is paid in full. Next."),
    ("Paid in full.<sup>[12]</sup> Next,<sup>3,4</sup> then.<sup>a</sup>", "Paid in full. Next, then."),
    ("Paid<sup><a href='#fn1'>1</a></sup> in full.", "Paid in full."),
    ("Paid<a href='#fn1'><sup>1</sup></a> in full<a href='#cite' role='doc-noteref'>*</a>.", "Paid in full."),
    ("Paid<sup class='x'><a href='p.html#fn1'>[1]</a></sup> in full.", "Paid in full."),
    ("A note. <a href='#fnref1'>↩</a> <a href='#ref'>↑</a>", "A note."),
]


@pytest.mark.parametrize(("html", "text"), CASES)
def test_html(html, text):
    assert [block.text for block in from_html(f"<p>{html}</p>").blocks] == [text]


@pytest.mark.parametrize(("html", "text"), [c for c in CASES if "*" not in c[0] and "[" not in c[0]])
def test_markdown(html, text):
    assert [block.text for block in from_markdown(html).blocks] == [text]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<table><tr><th>Area (m<sup>2</sup>)<th>n<tr><td>10<sup>3</sup><td>2</table>", "- Area (m^2): 10^3; n: 2"),
        ("<h2>CO<sub>2</sub> in 10<sup>3</sup> t</h2>", "CO2 in 10^3 t"),
        ("<ul><li>10<sup>3</sup> t</ul>", "- 10^3 t"),
    ],
)
def test_anywhere_in_a_page(html, text):
    assert [block.text for block in from_html(html).blocks] == [text]
