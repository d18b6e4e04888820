from axolotl_augft.conversion.blocks import Block, Converted, paragraphs
from axolotl_augft.conversion.sections import LONGEST, cut_rows
from axolotl_augft.text.tokens import ESTIMATE


def texts(*blocks, title="", name="staff_hand-book.md"):
    return [row.text for row in cut_rows(Converted(title, tuple(blocks)), name, "en")]


def test_the_first_heading_above_all_others_is_the_title():
    assert texts(Block("T", 1), Block("A", 2), Block("x."), Block("B", 2), Block("y.")) == ["T > A: x.", "T > B: y."]
    assert texts(Block("A", 1), Block("x."), Block("B", 1), Block("y."), title="T") == ["T > A: x.", "T > B: y."]
    assert texts(Block("A", 2), Block("x."), title="T") == ["T > A: x."]
    assert texts(Block("A", 2), Block("x."), title="A (T)") == ["A: x."]
    assert texts(Block("A", 2), Block("x.")) == ["A: x."]
    assert texts(Block("x.")) == ["staff hand book: x."]


def test_headings_without_text_stand_above_those_below_them():
    blocks = [
        Block("T", 1),
        Block("A", 2),
        Block("B", 3),
        Block("x."),
        Block("C", 2),
        Block("D", 4),
        Block("y."),
        Block("E", 2),
    ]
    assert texts(*blocks) == ["T > A > B: x.", "T > C > D: y."]


def test_items_stand_close_and_paragraphs_apart():
    blocks = [Block("a:"), Block("- b", tight=True), Block("- c", tight=True), Block("d.")]
    assert texts(*blocks, title="T") == ["T: a:\n\n- b\n- c\n\nd."]


def test_long_sections_are_cut_at_paragraph_ends_under_the_same_first_line():
    paragraph = "The pump stands in the hall. " * 40
    rows = texts(Block("A", 2), *[Block(f"{i}. {paragraph}".strip()) for i in range(6)], title="T")
    assert len(rows) == 3
    assert all(row.startswith("T > A: ") and ESTIMATE.count(row) <= LONGEST + 2 for row in rows)
    assert [row.count("The pump") for row in rows] == [80, 80, 80]


def test_a_paragraph_that_is_too_long_is_cut_at_sentence_ends():
    rows = texts(Block(" ".join(f"Pump {i} stands in the hall." for i in range(200))), title="T")
    assert len(rows) > 1 and all(row.endswith("in the hall.") for row in rows)
    assert sum(row.count("Pump") for row in rows) == 200


def test_pages_are_the_section_where_there_is_no_heading():
    rows = cut_rows(Converted("T", (Block("x.", page=2), Block("y.", page=4))), "a.pdf", "en")
    assert [(row.title, row.section) for row in rows] == [("T", "pages 2-4")]


def test_paragraphs_of_plain_text():
    assert [b.text for b in paragraphs("one\n  two\n\n \n\tthree\x00")] == ["one\ntwo", "three"]


def test_what_a_row_is_about_stands_in_one_sentence_with_its_beginning():
    assert texts(Block("Who pays?", 2), Block("Mara pays."), title="FAQ") == ["FAQ > Who pays? Mara pays."]
    assert texts(Block("Steps", 2), Block("- one", tight=True), Block("- two", tight=True), title="T") == [
        "T > Steps:\n- one\n- two"
    ]
    assert texts(Block("def f():\n    return 1"), title="T") == ["T:\ndef f():\n    return 1"]


def test_wrapped_lines_of_plain_text_are_joined():
    wrapped = (
        "This line of a letter was wrapped by an old editor at\nseventy characters.\n- one\n- two\nPort "
        "Ennis\nHarbour Road 1"
    )
    (block,) = paragraphs(wrapped)
    assert block.text == wrapped.replace("at\n", "at ")
