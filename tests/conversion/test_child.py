"""Hostile and broken files end the child, or are refused by it; the run goes on with the next file."""

import io
import os
import threading
import time
import zipfile
import zlib

import pytest

from axolotl_augft.conversion import child as in_child
from axolotl_augft.conversion.blocks import Block, Converted, Unusable
from axolotl_augft.conversion.child import Converter, Converters, Limits
from axolotl_augft.conversion.convert import convert
from tests.support.document_files import add_bad_files, write_docx, write_handbook, write_pdf


def with_part(path, name, content):
    """A good DOCX with one part more, or another content of a part; bytes written in pieces, so that it may be huge."""
    good = write_docx(path).read_bytes()
    with zipfile.ZipFile(io.BytesIO(good)) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            if part != name:
                new.writestr(part, old.read(part))
        with new.open(name, "w") as stream:
            for piece in content:
                stream.write(piece)
    return path


def pdf_bomb(path, size=2_000_000_000):
    packer = zlib.compressobj(9)
    stream = b"".join(packer.compress(b" " * 1_000_000) for _ in range(size // 1_000_000)) + packer.flush()
    packed = zlib.compress(stream, 9)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
        b"<</Length %d/Filter[/FlateDecode/FlateDecode]>>stream\n%s\nendstream" % (len(packed), packed),
    ]
    out = b"%PDF-1.5\n"
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%s endobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    path.write_bytes(out + b"trailer<</Size 5/Root 1 0 R>>startxref\n%d\n%%%%EOF" % start)
    return path


@pytest.mark.parametrize(
    "part",
    [
        "word/document.xml",
        "word/_rels/document.xml.rels",
        "_rels/.rels",
        "[Content_Types].xml",
        "word/styles.xml",
        "word/footnotes.xml",
        "word/anything.bin2",
        "other/part",
    ],
)
def test_every_part_of_a_docx_counts(tmp_path, part):
    file = with_part(tmp_path / "a.docx", part, (b" " * 1_000_000 for _ in range(6)))
    with pytest.raises(Unusable, match=r"^more than 5 MB of XML; split it$"):
        convert(file)


@pytest.mark.parametrize("part", ["word/media/image1.png", "word/embeddings/sheet.xlsx", "word/theme/theme1.xml"])
def test_what_is_never_unpacked_does_not_count(tmp_path, part):
    file = with_part(tmp_path / "a.docx", part, (b" " * 1_000_000 for _ in range(6)))
    assert convert(file).blocks[0] == Block("Expense policy", 1)


def entities(levels, size):
    names = "abcdefghijklmnop"[:levels]
    lines = [f'<!ENTITY {a} "{f"&{b};" * 10}">' for a, b in zip(names, names[1:], strict=False)]
    return (
        f'<?xml version="1.0"?><!DOCTYPE x [{"".join(lines)}<!ENTITY {names[-1]} "{"x" * size}">]>'
        f'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>'
        f"&a;</w:t></w:r></w:p></w:body></w:document>"
    ).encode()


def test_several_files_are_converted_at_a_time_and_come_in_their_order(tmp_path):
    names = [f"{i}.md" for i in range(5)]
    for name in names:
        (tmp_path / name).write_text(f"# {name}\n\nText." if name != "2.md" else "")
    with Converters(3) as converters:
        found = list(converters.convert(tmp_path / name for name in names))
    assert [f.blocks[0].text if isinstance(f, Converted) else str(f) for f in found] == [
        "0.md",
        "1.md",
        "empty",
        "3.md",
        "4.md",
    ]


def test_after_the_end_no_child_is_started(tmp_path):
    (tmp_path / "waits.md").write_text("Text.")
    # A pipe that nobody writes to is at work until its child ends.
    os.mkfifo(tmp_path / "at-work.md")
    start = time.monotonic()
    with Converters(1) as converters:
        futures = [converters._threads.submit(converters._one, tmp_path / f"{n}.md") for n in ("at-work", "waits")]
        pipe = os.open(tmp_path / "at-work.md", os.O_WRONLY)
    os.close(pipe)
    assert time.monotonic() - start < 60
    assert futures[1].cancelled() or isinstance(futures[1].result(), Unusable)


def test_the_end_waits_until_nobody_reads_from_the_child(tmp_path, monkeypatch):
    (tmp_path / "a.md").write_text("Text.")
    read = Converter._line
    begun = threading.Event()

    def late(self, child):
        begun.set()
        while not self._is_over:
            time.sleep(0.01)
        time.sleep(0.2)
        return read(self, child)

    monkeypatch.setattr(Converter, "_line", late)
    with Converters(1) as converters:
        future = converters._threads.submit(converters._one, tmp_path / "a.md")
        assert begun.wait(60)
    # What the child wrote before it was ended may be read.
    assert isinstance(future.result(timeout=0), Converted | Unusable)


BOMBS = {
    "entities.docx": lambda path: with_part(path, "word/document.xml", [entities(10, 50)]),
    "zeros.docx": lambda path: with_part(path, "word/document.xml", (b"\0" * 1_000_000 for _ in range(300))),
    "page.pdf": pdf_bomb,
    "deep.html": lambda path: path.write_text("<div><span>" * 300_000),
    "wide.html": lambda path: path.write_text("<table><tr><td colspan=1000 rowspan=65534>x" * 5000),
    "deep.md": lambda path: path.write_text(">" * 100_000 + "a"),
    "emphasis.md": lambda path: path.write_text("*a **b " * 20_000),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_neither_the_run_nor_the_next_file(tmp_path, name):
    BOMBS[name](tmp_path / name)
    assert (tmp_path / name).stat().st_size < 5_000_000
    good = write_docx(tmp_path / "good.docx")
    start = time.monotonic()
    with Converter(Limits(memory=700_000_000, seconds=20)) as converter:
        try:
            assert sum(len(block.text) for block in converter.convert(tmp_path / name).blocks) < 5_000_000
        except Unusable as error:
            assert "\n" not in str(error) and len(str(error)) < 200
        assert converter.convert(good) == convert(good)
    assert time.monotonic() - start < 40


def test_a_crash_is_named(tmp_path, monkeypatch):
    """The limits hold whatever a library does: here the child is killed in the middle of its work."""
    with Converter() as converter:
        good = write_docx(tmp_path / "good.docx")
        converter.convert(good)
        os.kill(converter._child.pid, 9)
        with pytest.raises(
            Unusable, match=r"^broken, or needs more than 2 GB of memory \(its reader ended with SIGKILL\)"
        ):
            converter.convert(good)
        assert converter.convert(good) == convert(good)


def test_a_file_that_takes_too_long_is_given_up(tmp_path):
    (tmp_path / "long.html").write_text("<p>a</p>" * 500_000)
    with Converter(Limits(seconds=0.5)) as converter:
        with pytest.raises(Unusable, match=r"^takes more than 0\.5 s to convert; split it$"):
            converter.convert(tmp_path / "long.html")
        assert converter._child is None


def test_an_answer_without_end_is_not_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(in_child, "_LONGEST_ANSWER", 1000)
    (tmp_path / "a.txt").write_text("A pump. " * 1000)
    with Converter() as converter, pytest.raises(Unusable, match="of text; split it"):
        converter.convert(tmp_path / "a.txt")


def test_the_child_says_what_the_same_process_would(tmp_path):
    folder = write_handbook(tmp_path / "handbook")
    reasons = add_bad_files(tmp_path)
    write_pdf(tmp_path / "none.pdf", [("", ["The valve is closed."])])
    with Converter() as converter:
        for file in (f for f in folder.rglob("*") if f.is_file()):
            assert isinstance(converted := converter.convert(file), Converted) and converted == convert(file)
        for name, reason in reasons.items():
            with pytest.raises(Unusable) as caught:
                converter.convert(tmp_path / name)
            assert str(caught.value).startswith(reason)


def test_the_child_sees_no_key_and_no_module_of_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("TEACHER_KEY", "sk-secret")
    monkeypatch.setenv("LD_PRELOAD", "")
    (tmp_path / "bs4.py").write_text("raise SystemExit(3)")
    (tmp_path / "a.html").write_text("<p>A pump.</p>")
    monkeypatch.chdir(tmp_path)
    with Converter() as converter:
        assert converter.convert(tmp_path / "a.html").blocks == (Block("A pump."),)
        seen = open(f"/proc/{converter._child.pid}/environ").read()
    assert "sk-secret" not in seen and "LD_PRELOAD" not in seen


def test_the_child_ends_with_the_block(tmp_path):
    with Converter() as converter:
        converter.convert(write_docx(tmp_path / "good.docx"))
        child = converter._child
    assert child.poll() is not None
