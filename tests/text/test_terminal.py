"""What is printed or logged can neither steer a terminal nor hide from the reader."""

import logging
import unicodedata

import pytest
from click.testing import CliRunner

from axolotl_augft.cli.recipe_files import one_line_errors, say
from axolotl_augft.conversion.find import FileProblem
from axolotl_augft.errors import AugftError, SourceError
from axolotl_augft.text.terminal import clean, clean_lines, clean_log

HOSTILE = [
    ("a\x1b[31mb\x1b[0m", "a b"),
    ("a\x9b2Jb", "a b"),
    ("a\x1b]0;title\x07b", "a ]0;title b"),
    ("a\x1b]8;;http://x.example\x1b\\b", "a ]8;;http://x.example \\b"),
    ("one\rtwo\x08\x7f", "one two"),
    ("a\x85b\u2028c\u2029d", "a b c d"),
    ("pay \u202e001\u202c euros", "pay 001 euros"),
    ("\u2066a\u2069 \u200eb\u200f", "a b"),
    ("in\u200bvis\u2060i\ufeffble\u00ad", "invisible"),
    ("hid\U000e0041\U000e0042den", "hidden"),
    ("va\U000e0101r", "var"),
    ("fil\u3164\u115fler", "filler"),
    ("a\u061cb\u034fc\u180ed", "abcd"),
    ("lone\udc9b31m", "lone 31m"),
]


@pytest.mark.parametrize(("text", "shown"), HOSTILE)
def test_clean(text, shown):
    assert clean(text) == shown
    assert all(unicodedata.category(c) not in ("Cc", "Cf", "Cs") for c in clean(text))


@pytest.mark.parametrize(
    "text", ["Grüße, 東京", "می\u200cخواهم", "👩\u200d🚀", "क्\u200dष", "e\u0301", "\u0600١٢", "❤\ufe0f"]
)
def test_what_can_be_seen_stays(text):
    assert clean(text) == text


def test_lines_stay_lines_with_their_indentation():
    assert clean_lines("a:\n  b\x1b[2J\r\n\u202ec") == "a:\n  b\nc"


@pytest.mark.parametrize(("text", "shown"), [h for h in HOSTILE if "\r" not in h[0]])
def test_every_way_to_the_terminal_is_clean(text, shown, caplog):
    """Errors of any kind, log lines, printed lines, and the names of files."""
    assert str(AugftError(f"x: {text}")) == str(SourceError(f"x: {text}")) == f"x: {shown}"
    clean_log("axolotl_augft")
    with caplog.at_level(logging.INFO, logger="axolotl_augft"):
        logging.getLogger("axolotl_augft").warning("augft: %s: %d", text, 5)
    assert caplog.messages == [clean_lines(f"augft: {text}: 5")]
    assert str(FileProblem(text, "broken")) == f"{shown}: broken"

    import click

    @click.command()
    @one_line_errors
    def command():
        say(f"said {text}")
        raise AugftError(f"server says {text}")

    done = CliRunner().invoke(command)
    assert f"said {shown}\n" in done.output and f"Error: augft: server says {shown}\n" in done.output


def test_a_line_break_in_a_file_name_forges_no_line():
    assert str(FileProblem("a\nError: all is lost.md", "broken")) == "a Error: all is lost.md: broken"
