"""PDFs: headings by outline and by size, and lines at their own places whatever a character's text is."""

import fpdf
import pytest

from axolotl_augft.conversion.convert import convert

BODY = "The valve stands beside the pump and is closed by hand before the tide comes in."
OTHER = "All alarms run on a battery, which is to be changed whenever the harbour master says so."


def write(path, pages, entries=()):
    """Pages of (size, text) lines; the outline's entries are (title, page, level)."""
    pdf = fpdf.FPDF()
    pdf.set_auto_page_break(False)
    for number, lines in enumerate(pages):
        pdf.add_page()
        for title, page, level in entries:
            if page == number:
                pdf.start_section(title, level=level)
        for size, text in lines:
            pdf.set_font("helvetica", size=size)
            pdf.multi_cell(150, size / 2, text, new_x="LMARGIN", new_y="NEXT")
            pdf.ln(6)
    pdf.output(str(path))
    return path


def headings(file):
    return [(block.level, block.text) for block in convert(file).blocks if block.level]


@pytest.mark.parametrize(
    ("printed", "title"),
    [
        ("1.6.2 Unix text tools", "Unix text tools"),
        ("Chapter 3. Unix text tools", "Unix text tools"),
        ("A.1 Unix text tools", "Unix text tools"),
        ("IV Unix text tools", "Unix text tools"),
        ("Unix text tools", "3 Unix text tools"),
        ("3. Unix text tools", "3 Unix Text Tools"),
        ("1984", "1984"),
        ("3 Rs", "3 Rs"),
    ],
)
def test_a_title_is_found_with_and_without_its_number(tmp_path, printed, title):
    file = write(tmp_path / "a.pdf", [[(11, printed), (11, BODY)], [(11, OTHER)]], [(title, 0, 0)])
    assert headings(file) == [(1, printed)]


def test_a_title_over_several_lines_and_on_the_next_page(tmp_path):
    long = "Selecting and modifying the subsets of a data set that the harbour master of Port Ennis has kept since 1901"
    file = write(
        tmp_path / "a.pdf",
        [[(11, BODY)], [(11, f"2.7 {long}"), (11, OTHER)], [(11, "Valves"), (11, "It is shut.")]],
        [(long, 1, 0), ("Valves", 1, 1)],
    )
    assert headings(file) == [(1, f"2.7 {long}"), (2, "Valves")]


def test_a_line_of_text_that_reads_like_a_title_is_none(tmp_path):
    file = write(tmp_path / "a.pdf", [[(11, "Valves"), (14, "Valves"), (11, BODY)]], [("Valves", 0, 0)])
    assert [(b.level, b.text) for b in convert(file).blocks][:2] == [(0, "Valves"), (1, "Valves")]


def test_an_outline_that_fits_little_does_not_switch_off_headings_by_size(tmp_path):
    pages = [
        [(16, f"Section about {name}"), (11, f"The {name} are old. " * 9)]
        for name in ("pumps", "valves", "pipes", "alarms")
    ]
    pages[0].insert(1, (11, "Preface"))
    entries = [("Preface", 0, 0), *((f"{name} (in depth)", page, 0) for page, name in enumerate("abcd"))]
    assert headings(write(tmp_path / "a.pdf", pages, entries)) == [
        *((1, "Section about pumps"), (2, "Preface")),
        *((1, f"Section about {name}") for name in ("valves", "pipes", "alarms")),
    ]


def test_an_outline_that_fits_is_the_only_judge(tmp_path):
    pages = [[(11, "Pumps"), (16, "A large slogan"), (11, BODY)], [(11, "Valves"), (11, OTHER)]]
    assert headings(write(tmp_path / "a.pdf", pages, [("Pumps", 0, 0), ("Valves", 1, 0)])) == [
        (1, "Pumps"),
        (1, "Valves"),
    ]


def raw_pdf(path, mapped):
    """Lines of a hand-made PDF, in which the sign `~` has the text `mapped` (hexadecimal UTF-16, "" for none)."""
    lines = [(11, "~" * 40 + " The first line of the page."), (18, "Alarms"), (11, BODY), (18, "Valves"), (11, BODY)]
    content, y = "BT ", 800
    for size, text in lines:
        content += f"/F {size} Tf 1 0 0 1 50 {y} Tm ({text}) Tj "
        y -= 40
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /A def /CMapType 2 def "
        "1 begincodespacerange <00> <FF> endcodespacerange 1 beginbfrange <20> <7D> <0020> endbfrange "
        f"1 beginbfchar <7E> <{mapped}> endbfchar endcmap end end"
    )
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 850]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        f"<</Length {len(content) + 3}>>stream\n{content}ET\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 6 0 R>>",
        f"<</Length {len(cmap)}>>stream\n{cmap}\nendstream",
    ]
    out, places = "%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj{text} endobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    trailer = f"trailer<</Size 7/Root 1 0 R>>startxref\n{len(out)}\n%%EOF"
    path.write_text(f"{out}xref\n0 7\n0000000000 65535 f \n{table}{trailer}", encoding="latin-1")
    return path


@pytest.mark.parametrize("mapped", ["0041", "D835", "DC34", "D835DC34", "00410042", "0000", "FFFF", "AD", "FEFF", ""])
def test_a_sign_without_text_or_with_much_displaces_nothing(tmp_path, mapped):
    assert headings(raw_pdf(tmp_path / "a.pdf", mapped)) == [(1, "Alarms"), (1, "Valves")]
    assert [b.text for b in convert(tmp_path / "a.pdf").blocks if not b.level][1:] == [BODY, BODY]


def test_the_running_title_of_a_chapter_is_left_out(tmp_path):
    """Each recurs on few of the pages, but with the number of the page."""
    pages = []
    for number in range(12):
        chapter = f"Chapter {number // 3 + 1}: The harbour {57 + number}" if number % 2 else f"{57 + number} Port rules"
        name = "abcdefghijkl"[number] * 3
        words = (f"The {name} is in the hall.", f"It has a {name} valve.", f"Mara keeps {name}.", f"So {name} goes.")
        pages.append([(11, chapter), *((11, word) for word in words)])
    pages[4].append((11, "Route 61"))
    texts = [block.text for block in convert(write(tmp_path / "a.pdf", pages)).blocks]
    assert not [text for text in texts if "harbour" in text or "Port" in text]
    assert sum(text.count("is in the hall.") for text in texts) == 12 and any("Route 61" in text for text in texts)
