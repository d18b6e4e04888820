"""Real document files, made with the usual writers."""

from pathlib import Path

import docx
import fpdf
from PIL import Image


def write_docx(path: Path, title: str = "Expense policy") -> Path:
    document = docx.Document()
    document.add_paragraph(title, "Title")
    document.add_heading("Travel", 1)
    document.add_paragraph("Trains are paid in full.")
    document.add_heading("Hotels", 2)
    document.add_paragraph("A night may cost 120 euros.")
    document.add_paragraph("Keep the bill", "List Bullet")
    document.add_paragraph("Send it in", "List Bullet")
    document.save(str(path))
    return path


PAGES = [
    (
        "Alarms",
        [
            "The Plover alarm is louder than the Dipper buzzer. It was fitted after the Pellwick flood, when nobody "
            "heard the "
            "buzzer over the rain in the lower hall.",
            "It runs on a battery.",
        ],
    ),
    ("Valves", ["The valve stands beside the pump and is closed by hand before the tide comes in."]),
]


def write_pdf(
    path: Path, pages=PAGES, password: str | None = None, title: str = "Pump handbook", outline: bool = False
) -> Path:
    """A page for each heading and its paragraphs, with a running title and page numbers."""
    pdf = fpdf.FPDF()
    pdf.set_auto_page_break(False)
    pdf.set_title(title)
    if password:
        pdf.set_encryption("owner", password)
    for number, (heading, paragraphs) in enumerate(pages, start=1):
        pdf.add_page()
        pdf.set_font("helvetica", size=9)
        pdf.cell(0, 5, "Acme internal", new_x="LMARGIN", new_y="NEXT")
        if outline:
            pdf.start_section(heading)
        pdf.set_font("helvetica", "B", 11 if outline else 16)
        pdf.cell(0, 12, heading, new_x="LMARGIN", new_y="NEXT")
        pdf.set_font("helvetica", size=11)
        for paragraph in paragraphs:
            pdf.multi_cell(90, 5.5, paragraph, new_x="LMARGIN", new_y="NEXT")
            pdf.ln(4)
        pdf.set_y(-20)
        pdf.cell(0, 5, f"Page {number}")
    pdf.output(str(path))
    return path


def write_scan(path: Path) -> Path:
    picture = path.with_suffix(".png")
    Image.new("RGB", (60, 40), "red").save(picture)
    pdf = fpdf.FPDF()
    pdf.add_page()
    pdf.image(str(picture))
    pdf.output(str(path))
    picture.unlink()
    return path


HTML = """<!doctype html><html><head><title>Acme intranet</title><style>p {color: red}</style></head><body>
<nav>Home | About</nav><script>alert("no")</script><!-- a secret -->
<h2>Leave</h2><p>Staff have <b>30&nbsp;days</b> of leave.<p>Ask <a href="http://example.org">Mara Quell</a>.
<table><tr><th>Grade</th><th>Days</th></tr><tr><td>Apprentice</td><td>32</td></tr></table>
<footer>All rights reserved</footer></body></html>"""

MARKDOWN = """---
title: Ignored beside a first-level heading
---
# Overflow

What to do when the hall floods.

## Alarm

The Plover alarm is *louder* than the [Dipper](http://example.org) buzzer.

1. Press `stop`
2. Leave

## Code

```py
# not a heading
```
"""


def write_handbook(folder: Path) -> Path:
    """A folder with one good file of each kind, in folders below it too."""
    (folder / "pumps" / "old").mkdir(parents=True)
    (folder / "pumps" / "überlauf.md").write_text(MARKDOWN, encoding="utf-8")
    (folder / "leave.html").write_text(HTML, encoding="utf-8")
    (folder / "notes.txt").write_bytes(
        "Port Ennis liegt nördlich von Saltmere.\r\n\r\nDer Hafen ist klein.".encode("latin-1")
    )
    write_docx(folder / "policy.docx")
    write_pdf(folder / "pumps" / "old" / "handbook.pdf")
    return folder


def add_bad_files(folder: Path) -> dict[str, str]:
    """A bad file of each kind; their names, and what is said about each."""
    good = write_docx(folder / "cut.docx").read_bytes()
    (folder / "cut.docx").write_bytes(good[: len(good) // 2])
    (folder / "empty.md").write_text(" \n")
    (folder / "bare.html").write_text("<html><body><script>alert(1)</script></body></html>")
    (folder / "image.txt").write_bytes(bytes(range(256)) * 8)
    (folder / "locked.docx").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600))
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 and nothing more")
    write_pdf(folder / "locked.pdf", password="user")
    write_scan(folder / "scan.pdf")
    return {
        "bare.html": "holds no text",
        "broken.pdf": "broken (PdfiumError)",
        "cut.docx": "broken (BadZipFile)",
        "empty.md": "empty",
        "image.txt": "not text",
        "locked.docx": "encrypted, or an old .doc under another name",
        "locked.pdf": "encrypted; save it without a password",
        "scan.pdf": "holds no text (a scan?); run text recognition (OCR) over it first",
    }
