import shutil

import pytest

from axolotl_augft.files.code_digest import PACKAGE, _code, code_digest


@pytest.mark.parametrize(
    ("file", "added", "changes"),
    [
        ("judging/rules.py", "\n_MORE = 1\n", True),
        ("judging/rules.py", "\n# a comment\n", False),
        ("strategies/worked_examples/examples.jsonl", "\n", True),
        ("strategies/prompts/local.chat.jinja", "\n", True),
        ("text/pronouns.json", "\n", True),
        ("bench/audit/audit.py", "\n_MORE = 1\n", False),
        ("report/page.py", "\n_MORE = 1\n", False),
        ("cli/show.py", "\n_MORE = 1\n", False),
        ("new.py", "_MORE = 1\n", True),
    ],
)
def test_the_digest_is_of_what_makes_the_rows(tmp_path, file, added, changes):
    package = shutil.copytree(PACKAGE, tmp_path / "package", ignore=shutil.ignore_patterns("__pycache__"))
    before = code_digest(package)
    assert before == code_digest()
    with (package / file).open("a") as opened:
        opened.write(added)
    code_digest.cache_clear()
    assert (code_digest(package) != before) is changes


CODE = '''"""Module."""


class Settings:
    """Settings."""

    count: int = Field(1, description="How many.")
    """The number."""


def total(a):
    """The total."""
    return a + 1
'''


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ("Module.", "Another word.", False),
        ('    """The total."""\n', "", False),
        ("How many.", "The sum.", False),
        ('    """The number."""\n', "", False),
        ("return a + 1", "return a + 1  # one more\n\n    # and no more", False),
        ("    return", "    if a:\n        return", True),
        ("return a + 1", "return a + 2", True),
        ("Field(1,", "Field(2,", True),
    ],
)
def test_words_and_layout_do_not_count(tmp_path, old, new, changes):
    digests = []
    for text in (CODE, CODE.replace(old, new)):
        (tmp_path / "code.py").write_text(text)
        code_digest.cache_clear()
        digests.append(code_digest(tmp_path))
    assert (digests[0] != digests[1]) is changes


def test_the_digest_is_the_same_on_every_python():
    text = 'x = f"{{a}} {1:>{2}}"  # why\n\n\nclass A:\n    """A."""\n\n    b: int = Field(1, description="é " + "b")\n'
    assert _code(text) == 'x = f"{{a}} {1:>{2}}"\nclass A:\n    b: int = Field(1, )'
