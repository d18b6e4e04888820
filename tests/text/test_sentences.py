import time

import pytest

from axolotl_augft.text.sentences import cumulative_rows, split_at_sentences, split_sentences


@pytest.mark.parametrize(
    ("text", "language", "sentences"),
    [
        ("Dr. Roe is here. It costs 3.5 crowns!  Why?", "en", ["Dr. Roe is here.", "It costs 3.5 crowns!", "Why?"]),
        ("One.\n\nTwo", "en", ["One.", "Two"]),
        ("Das ist z.B. neu. Ja.", "de", ["Das ist z.B. neu.", "Ja."]),
        ("これは文です。次の文。", "ja", ["これは文です。", "次の文。"]),
        ("   ", "en", []),
    ],
)
def test_split_sentences(text, language, sentences):
    assert split_sentences(text, language) == sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ('A 3.5" disk. A 5.25" disk. Bo left.', ['A 3.5" disk.', 'A 5.25" disk.', "Bo left."]),
        ('The 19" rack is here. It is old.', ['The 19" rack is here.', "It is old."]),
        (
            'Set 12" apart. He said "Go. Now." Then use a 3" nail.',
            ['Set 12" apart.', 'He said "Go. Now."', 'Then use a 3" nail.'],
        ),
        ('He said "take 5". She took 6.', ['He said "take 5".', "She took 6."]),
    ],
)
def test_inch_marks_are_no_quotation_marks(text, sentences):
    assert split_sentences(text) == sentences


@pytest.mark.parametrize(
    "unit", ["“a ", "‘a ", "«a ", "「a", "(a ", "“(a ", "“A. ", "a. “b ", "a ", "a\n", "x", '3" ', "“a\n"]
)
def test_any_text_is_split_in_linear_time_into_pieces_of_bounded_length(unit):
    text = unit * (1_000_000 // len(unit))
    start = time.monotonic()
    sentences = split_sentences(text)
    assert time.monotonic() - start < 8, "about 2 s on a slow machine; quadratic time takes minutes"
    assert max(map(len, sentences)) <= 4000
    assert "".join("".join(sentences).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("x" * 9000, [4000, 4000, 1000]),
        ("word " * 1000, [3999, 999]),
        ("a" * 2500 + "\n" + "b c " * 1000, [2500, 3999]),
    ],
)
def test_a_stretch_without_sentence_end_is_cut_at_a_line_break_or_a_space_or_anywhere(text, sizes):
    assert [len(sentence) for sentence in split_sentences(text)] == sizes


def test_a_long_paragraph_is_split_like_a_short_one():
    sentences = [f"Dr. Roe, no. {i}, said “Go. Now.” and (so. it. seems) left." for i in range(400)]
    assert split_sentences(" ".join(sentences)) == [s for t in sentences for s in split_sentences(t)]


def test_long_text_is_cut_at_sentence_ends():
    text = "Ann met Bo. They left. Nobody saw them go away again. Why?"
    assert split_at_sentences(text, 5, lambda t: len(t.split())) == [
        "Ann met Bo. They left.",
        "Nobody saw them go away again.",
        "Why?",
    ]
    assert split_at_sentences(text, 50, lambda t: len(t.split())) == [text]


def test_cumulative_rows_put_the_special_tokens_that_input_output_leaves_out():
    rows = [[(s.text, s.label) for s in row] for row in cumulative_rows(["A.", "B.", "C."], "<s>", "</s>")]
    assert rows == [
        [("<s>", False), ("A.</s>", True)],
        [("<s>A.", False), (" B.</s>", True)],
        [("<s>A. B.", False), (" C.</s>", True)],
    ]
    short = [
        [s.text for s in row]
        for row in cumulative_rows(["A.", "B.", "C."], "<s>", "</s>", lambda text: len(text) <= 13)
    ]
    assert short == [["<s>", "A.</s>"], ["<s>A.", " B.</s>"], ["<s>B.", " C.</s>"]]
    assert [(s.text, s.label) for s in next(cumulative_rows(["A."], "", "</s>"))] == [("A.</s>", True)]
