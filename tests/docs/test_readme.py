import re

from tests.docs.config_table import MARKS, README, table

TEXT = README.read_text()


def test_the_table_of_keys_is_that_of_the_settings():
    assert MARKS.search(TEXT)[0] == table(), "run: .venv/bin/python tests/config_table.py"


def test_every_reason_of_rejection_is_explained():
    from axolotl_augft.judging.rules import Reason

    assert all(f"`{reason}`" in TEXT for reason in Reason)


def test_the_makefile_has_the_targets_that_the_readme_names():
    makefile = (README.parent / "Makefile").read_text()
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", TEXT, re.MULTILINE))
    assert {"env", "demo", "test", "test-quick", "check", "bench-tiny", "bench-reversal-curse", "bench-table"} <= named
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in named)
