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
