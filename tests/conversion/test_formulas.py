"""Equations of HTML and DOCX as text: no sentence is left with a hole."""

import io
import zipfile

import pytest

from axolotl_augft.conversion.convert import convert
from axolotl_augft.conversion.html import from_html
from tests.support.document_files import write_docx

TEX = '<annotation encoding="application/x-tex">E=mc^2</annotation>'
MATHML = [
    ("<math><mfrac><mi>a</mi><mrow><mi>b</mi><mo>+</mo><mn>1</mn></mrow></mfrac></math>", "a/(b + 1)"),
    ("<math><msup><mn>10</mn><mn>23</mn></msup></math>", "10^23"),
    ("<math><msub><mi>x</mi><mi>i</mi></msub><mo>=</mo><mo>-</mo><mn>1</mn></math>", "x_i = -1"),
    ("<math><msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup></math>", "x_i^2"),
    ("<math><msqrt><mi>a</mi><mo>+</mo><mi>b</mi></msqrt></math>", "sqrt(a + b)"),
    ("<math><mroot><mi>a</mi><mn>3</mn></mroot></math>", "root(a, 3)"),
    (
        "<math><munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover></math>",
        "∑_(i = 1)^n",
    ),
    ("<math><mfenced><mi>a</mi><mi>b</mi></mfenced></math>", "(a, b)"),
    ("<math><mi>sin</mi><mo>\u2061</mo><mi>x</mi></math>", "sin x"),
    ("<math><mn>2</mn><mo>\u2062</mo><mi>x</mi></math>", "2x"),
    (
        "<math><mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>2</mn></mtd></mtr><mtr><mtd><mn>3</mn></mtd></mtr></mtable></math>",
        "[1, 2; 3]",
    ),
    ("<math><mfrac linethickness='0'><mi>n</mi><mi>k</mi></mfrac></math>", "binom(n, k)"),
    ("<math><mtext>speed</mtext><mo>=</mo><mn>5</mn></math>", "speed = 5"),
    # An equation that carries its source is written once, as that.
    (f"<math><semantics><mrow><mi>E</mi></mrow>{TEX}</semantics></math>", "E=mc^2"),
    ('<math alttext="{\\displaystyle E=mc^{2}}"><mi>E</mi></math>', "E=mc^{2}"),
    (
        f'<span class="katex"><span class="katex-mathml"><math><semantics><mi>E</mi>{TEX}</semantics></math>'
        '</span><span class="katex-html" aria-hidden="true"><span>E</span><span>=mc2</span></span></span>',
        "E=mc^2",
    ),
    (
        '<span class="MathJax_Preview">E</span><b class="MathJax">E=mc2</b><script type="math/tex">E=mc^2</script>',
        "E=mc^2",
    ),
    (
        "<span><math><semantics><mi>E</mi>" + TEX + '</semantics></math><img class="mwe-math" alt="E=mc^2"></span>',
        "E=mc^2",
    ),
    ('<img class="math" src="x.png" alt="E=mc^2">', "E=mc^2"),
]


@pytest.mark.parametrize(("html", "text"), MATHML)
def test_mathml(html, text):
    assert [b.text for b in from_html(f"<p>It is {html}.</p>").blocks] == [f"It is {text}."]


def r(text):
    return f"<m:r><m:t>{text}</m:t></m:r>"


def named(*pairs):
    return "".join(f"<m:{name}>{r(text)}</m:{name}>" for name, text in pairs)


OMML = [
    (f"<m:f>{named(('num', 'a+b'), ('den', '2'))}</m:f>", "(a+b)/2"),
    (f"<m:f><m:fPr><m:type m:val='noBar'/></m:fPr>{named(('num', 'n'), ('den', 'k'))}</m:f>", "binom(n, k)"),
    (f"<m:sSup>{named(('e', '10'), ('sup', '23'))}</m:sSup>", "10^23"),
    (f"<m:sSub>{named(('e', 'x'), ('sub', 'max'))}</m:sSub>", "x_max"),
    (f"<m:sSubSup>{named(('e', 'x'), ('sub', 'i'), ('sup', '2'))}</m:sSubSup>", "x_i^2"),
    (f"<m:rad>{named(('deg', '3'), ('e', 'x'))}</m:rad>", "root(x, 3)"),
    (f"<m:rad><m:radPr><m:degHide m:val='1'/></m:radPr><m:deg/>{named(('e', 'x'))}</m:rad>", "sqrt(x)"),
    (
        f"<m:nary><m:naryPr><m:chr m:val='∑'/></m:naryPr>{named(('sub', 'i=1'), ('sup', 'n'), ('e', 'x'))}</m:nary>",
        "∑_(i=1)^n x",
    ),
    (f"<m:d><m:dPr><m:begChr m:val='['/><m:endChr m:val=']'/></m:dPr>{named(('e', 'a'))}</m:d>", "[a]"),
    (f"<m:d>{named(('e', 'a'))}</m:d>", "(a)"),
    (f"<m:func>{named(('fName', 'sin'), ('e', 'x'))}</m:func>", "sin x"),
    (
        f"<m:m><m:mr>{named(('e', '1'), ('e', '2'))}</m:mr><m:mr>{named(('e', '3'), ('e', '4'))}</m:mr></m:m>",
        "[1, 2; 3, 4]",
    ),
    (f"<m:limLow>{named(('e', 'lim'), ('lim', 'x→0'))}</m:limLow>", "lim_(x→0)"),
    (f"<m:box>{named(('e', 'E=mc'))}</m:box>", "E=mc"),
    ("<m:r><w:rPr><w:i/></w:rPr><m:t>α</m:t></m:r>", "α"),
]


def with_paragraphs(path, paragraphs):
    write_docx(path)
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as old, zipfile.ZipFile(path, "w") as new:
        for part in old.namelist():
            content = old.read(part)
            if part == "word/document.xml":
                mark = b"<w:body>"
                content = content.replace(mark, mark + paragraphs.encode(), 1)
                content = (
                    content.replace(
                        b"<w:document ",
                        b'<w:document xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math" ',
                        1,
                    )
                    if b"xmlns:m=" not in content
                    else content
                )
            new.writestr(part, content)
    return path


@pytest.mark.parametrize(("omml", "text"), OMML)
def test_omml(tmp_path, omml, text):
    equation = f"<m:oMath>{omml}</m:oMath>"
    before = "<w:r><w:t xml:space='preserve'>The angle is </w:t></w:r>"
    inline = f"<w:p>{before}{equation}<w:r><w:t>.</w:t></w:r></w:p>"
    display = f"<w:p><m:oMathPara><m:oMathParaPr><m:jc m:val='center'/></m:oMathParaPr>{equation}</m:oMathPara></w:p>"
    blocks = convert(with_paragraphs(tmp_path / "a.docx", inline + display)).blocks
    assert [block.text for block in blocks[:2]] == [f"The angle is {text}.", text]


def test_superscripts_of_docx(tmp_path):
    def run(text, place):
        return f"<w:r><w:rPr><w:vertAlign w:val='{place}'/></w:rPr><w:t xml:space='preserve'>{text}</w:t></w:r>"

    runs = [("6.022×10", "baseline"), ("23", "superscript"), (" H", "baseline"), ("2", "subscript"), ("O", "baseline")]
    paragraph = f"<w:p>{''.join(run(*r) for r in runs)}</w:p>"
    blocks = convert(with_paragraphs(tmp_path / "a.docx", paragraph)).blocks
    assert blocks[0].text == "6.022×10^23 H2O"


def test_an_equation_nested_without_end_is_a_broken_file(tmp_path):
    deep = "<m:e>" * 5000 + "</m:e>" * 5000
    with pytest.raises(Exception, match="broken"):
        convert(with_paragraphs(tmp_path / "a.docx", f"<w:p><m:oMath>{deep}</m:oMath></w:p>"))
