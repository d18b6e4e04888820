"""A real file of each kind -> rows, or the reason why not."""

import io
import sys
import zipfile

import pytest

from axolotl_augft.conversion import convert as converting
from axolotl_augft.conversion.blocks import paragraphs
from axolotl_augft.conversion.convert import Unusable, convert
from axolotl_augft.conversion.html import from_html, from_markdown
from axolotl_augft.conversion.sections import section_rows
from tests.support.document_files import HTML, MARKDOWN, PAGES, add_bad_files, write_docx, write_pdf, write_scan


def rows(file):
    return [(r.title, r.section, r.text) for r in section_rows(convert(file), file.name, "en")]


def test_markdown(tmp_path):
    (tmp_path / "a.md").write_text(MARKDOWN)
    assert rows(tmp_path / "a.md") == [
        ("Overflow", "", "Overflow: What to do when the hall floods."),
        (
            "Overflow",
            "Alarm",
            "Overflow > Alarm: The Plover alarm is louder than the Dipper buzzer.\n\n1. Press stop\n2. Leave",
        ),
        ("Overflow", "Code", "Overflow > Code: # not a heading"),
    ]


def test_html(tmp_path):
    (tmp_path / "a.html").write_text(HTML)
    assert rows(tmp_path / "a.html") == [
        (
            "Acme intranet",
            "Leave",
            "Acme intranet > Leave: Staff have 30 days of leave.\n\nAsk Mara Quell.\n\n- Grade: Apprentice; Days: 32",
        )
    ]


def test_docx(tmp_path):
    assert rows(write_docx(tmp_path / "a.docx")) == [
        ("Expense policy", "Travel", "Expense policy > Travel: Trains are paid in full."),
        (
            "Expense policy",
            "Travel > Hotels",
            "Expense policy > Travel > Hotels: A night may cost 120 euros.\n\n- Keep the bill\n- Send it in",
        ),
    ]


@pytest.mark.parametrize("outline", [False, True])
def test_pdf(tmp_path, outline):
    """Headings by size or by the outline; wrapped lines joined; running title and page numbers left out."""
    (first, second), (third,) = (paragraphs for _, paragraphs in PAGES)
    assert rows(write_pdf(tmp_path / "a.pdf", outline=outline)) == [
        ("Pump handbook", "Alarms", f"Pump handbook > Alarms: {first}\n\n{second}"),
        ("Pump handbook", "Valves", f"Pump handbook > Valves: {third}"),
    ]


def test_pdf_without_headings_says_the_page_and_a_file_name_is_no_title(tmp_path):
    pages = [("", ["Mara Quell is the harbour master."]), ("", ["All pumps carry a label."])]
    assert rows(write_pdf(tmp_path / "pump_rules.pdf", pages, title="Microsoft Word - rules.docx")) == [
        ("pump rules", "pages 1-2", "pump rules: Mara Quell is the harbour master.\n\nAll pumps carry a label.")
    ]


def test_a_paragraph_goes_on_over_a_page(tmp_path):
    pages = [("", ["The valve is closed by hand before"]), ("", ["the tide comes in."])]
    ((_, section, text),) = rows(write_pdf(tmp_path / "a.pdf", pages))
    assert (section, text) == ("page 1", "Pump handbook: The valve is closed by hand before the tide comes in.")


def test_a_pdf_of_which_some_pages_are_scans_says_so(tmp_path):
    import pypdfium2 as pdfium

    write_pdf(tmp_path / "text.pdf")
    write_scan(tmp_path / "scan.pdf")
    both = pdfium.PdfDocument.new()
    for name in ("text.pdf", "scan.pdf"):
        both.import_pages(pdfium.PdfDocument(tmp_path / name))
    both.save(tmp_path / "both.pdf")
    assert convert(tmp_path / "both.pdf").note == "1 of 3 pages hold no text (scans or pictures?)"


def test_plain_text_of_an_old_encoding(tmp_path):
    (tmp_path / "a.txt").write_bytes(
        "Die Grüße der Bürgermeisterin hängen im Flur.\r\n\r\nÜber der Tür.".encode("cp1252")
    )
    assert rows(tmp_path / "a.txt") == [("a", "", "a: Die Grüße der Bürgermeisterin hängen im Flur.\n\nÜber der Tür.")]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16", "utf-8-sig", "utf-8"])
@pytest.mark.parametrize(
    "text",
    [
        "Die Grüße hängen im Flur.\n\nÜber der Tür.",
        "泵在大厅里 很旧。\n\n它还在运转 2 年。",
        "Насос стоит.\n\nОн стар.",
    ],
)
def test_unicode_with_and_without_byte_order_mark(tmp_path, encoding, text):
    (tmp_path / "a.txt").write_bytes(text.encode(encoding))
    (tmp_path / "a.html").write_bytes(f"<p>{text}</p>".encode(encoding))
    assert [block.text for block in convert(tmp_path / "a.txt").blocks] == text.split("\n\n")
    assert [block.text for block in convert(tmp_path / "a.html").blocks] == [" ".join(text.split())]


@pytest.mark.parametrize("space", ["\f", "\v", "\x1c", "\x1d", "\x85", "\u2028", "\xa0", "\t"])
def test_white_space_of_any_kind_parts_words(space):
    assert [b.text for b in paragraphs(f"one{space}two")] == ["one two"]
    assert [b.text for b in from_html(f"<p>one{space}two").blocks] == ["one two"]


def docx_with(path, renamed):
    """A DOCX with another name of its main part."""
    write_docx(path)
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as old, zipfile.ZipFile(path, "w") as new:
        for part in old.namelist():
            content = old.read(part).replace(b"word/document.xml", renamed.encode())
            name = part.replace("word/document.xml", renamed)
            new.writestr(name.replace("_rels/document.xml", f"_rels/{renamed.split('/')[1]}"), content)
    return path


@pytest.mark.parametrize("name", ["word/document2.xml", "word/document1.xml", "word/main.xml"])
def test_the_main_part_of_a_docx_may_have_another_name(tmp_path, name):
    assert convert(docx_with(tmp_path / "a.docx", name)) == convert(write_docx(tmp_path / "b.docx"))


def test_other_office_files_are_no_word_documents(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.docx", "w") as file:
        file.writestr("[Content_Types].xml", "<Types><Override ContentType='x/spreadsheetml.sheet'/></Types>")
        file.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(Unusable, match="not a Word document"):
        convert(tmp_path / "a.docx")


def test_footnotes_of_docx_follow_their_paragraph_without_marks(tmp_path):
    ns = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"
    notes = "".join(
        f'<w:footnote w:id="{i}"><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:footnote>'
        for i, text in ((2, "Second class only."), (3, "Since 2019."), (4, "In a list."))
    )
    write_docx(tmp_path / "a.docx")
    with (
        zipfile.ZipFile(io.BytesIO((tmp_path / "a.docx").read_bytes())) as old,
        zipfile.ZipFile(tmp_path / "a.docx", "w") as new,
    ):
        for part in old.namelist():
            text = old.read(part).decode("utf-8", "surrogateescape")
            if part == "word/document.xml":
                ref = '<w:r><w:footnoteReference w:id="{}"/></w:r>'
                text = text.replace("in full.</w:t></w:r>", "in full.</w:t></w:r>" + ref.format(2) + ref.format(3))
                text = text.replace("the bill</w:t></w:r>", "the bill</w:t></w:r>" + ref.format(4))
            if part == "word/_rels/document.xml.rels":
                text = text.replace(
                    "</Relationships>", f'<Relationship Id="n1" Type="{rel}" Target="footnotes.xml"/></Relationships>'
                )
            new.writestr(part, text.encode("utf-8", "surrogateescape"))
        new.writestr("word/footnotes.xml", f"<w:footnotes {ns}>{notes}</w:footnotes>")
    assert [block.text for block in convert(tmp_path / "a.docx").blocks] == [
        *("Expense policy", "Travel", "Trains are paid in full.", "Second class only.", "Since 2019."),
        *("Hotels", "A night may cost 120 euros.", "- Keep the bill", "In a list.", "- Send it in"),
    ]


def test_bad_files_say_why(tmp_path):
    expected = add_bad_files(tmp_path)
    said = {}
    for name in expected:
        with pytest.raises(Unusable) as caught:
            convert(tmp_path / name)
        said[name] = str(caught.value)
    assert {name: said[name][: len(reason)] for name, reason in expected.items()} == expected


def test_huge_files_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(converting, "MOST_BYTES", 1000)
    (tmp_path / "a.md").write_text("A pump. " * 200)
    with pytest.raises(Unusable, match="of text; split it"):
        convert(tmp_path / "a.md")


def test_markup_nested_deeper_than_python_recurses_is_refused(tmp_path):
    (tmp_path / "deep.html").write_text("<div>" * (sys.getrecursionlimit() + 10) + "text")
    with pytest.raises(Unusable, match="nested more than 200 deep"):
        convert(tmp_path / "deep.html")


@pytest.mark.parametrize(
    ("html", "blocks"),
    [
        ("<p>a <i>b</i><br>c", ["a b c"]),
        ("text <p>one</p> tail", ["text", "one", "tail"]),
        ("<main><p>in</p></main><p>out</p>", ["in"]),
        ("<article><p>in</p></article><p>out</p>", ["in"]),
        ("<article>a</article><article>b</article>", ["a", "b"]),
        ("<form><p>a page in a form</p><button>Send</button></form>", ["a page in a form"]),
        ("<ol start=3><li>c<ul><li>x</ul><li>d</ol>", ["3. c", "- x", "4. d"]),
        ("<table><tr><td>a</td><td></td><td>b</td></tr></table>", ["- a; b"]),
        ("<table><caption>Fees</caption><tr><th>x</th></tr><tr><td>1</td><td>2</td></tr></table>", ["Fees", "- 1; 2"]),
        ("<table><tr><td><h2>Layout</h2><p>text</p></td></tr></table>", ["Layout", "text"]),
        ("<table><tr><td>first (<code>make</code>)</td><td>b<br>c<p>d</td></tr></table>", ["- first (make); b c d"]),
        ("<h2><b>Pay</b>ment<a href='#x'>¶</a></h2>", ["Payment"]),
        ("<pre>if x:\n    y\n</pre>", ["if x:\n    y"]),
        ("<head><title>t</title><body>never closed head", ["never closed head"]),
        ("&lt;script&gt; stays text &amp; so on", ["<script> stays text & so on"]),
        ("soft\u00adhyphen, zero\u200bwidth, \x07bell", ["softhyphen, zerowidth, bell"]),
    ],
)
def test_html_shapes(html, blocks):
    assert [block.text for block in from_html(html).blocks] == blocks


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("---\ntitle: Own title\n---\n## A\nx\n## B\ny", "Own title"),
        ("---\ntitle: [not, a, title]\n---\nx", ""),
        ("---\n: : not yaml {\n---\nx", ""),
        ("x\n\n---\n\ny", ""),
    ],
)
def test_front_matter(text, title):
    converted = from_markdown(text)
    assert converted.title == title
    assert "title" not in " ".join(block.text for block in converted.blocks)
