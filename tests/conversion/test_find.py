"""Which files of a folder become rows."""

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from axolotl_augft.conversion.find import find_documents
from axolotl_augft.errors import SourceError


def test_files_of_known_types_in_order_the_others_counted(tmp_path):
    for name in (
        "b.md",
        "a/c.PDF",
        "a.txt",
        "x.png",
        "y.png",
        "z.xlsx",
        "README",
        ".hidden.md",
        ".git/e.md",
        "~$b.docx",
        "a/é.html",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_documents(str(tmp_path))
    assert list(found.files) == ["a/c.PDF", "a/é.html", "a.txt", "b.md"]
    assert found.unknown == {".png": 2, "(no suffix)": 1, ".xlsx": 1}
    assert found.problems == ()


def test_what_a_run_wrote_into_the_folder_is_no_document(tmp_path):
    for name in ("a.md", "out/lock", "out/recipes/x.json", "out/report.html", "out/0123/README.md", "notes/lock"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "notes" / "b.md").touch()
    assert list(find_documents(str(tmp_path)).files) == ["a.md", "notes/b.md"]


def test_a_single_file_is_a_folder_of_one(tmp_path):
    (tmp_path / "a.md").touch()
    (tmp_path / "b.md").touch()
    assert find_documents(str(tmp_path / "a.md")).files == {"a.md": tmp_path / "a.md"}


def test_links_stay_in_the_folder(tmp_path):
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.mkdir()
    folder.mkdir()
    (outside / "secret.md").touch()
    (folder / "own.md").touch()
    (folder / "again.md").symlink_to(folder / "own.md")
    (folder / "away.md").symlink_to(outside / "secret.md")
    (folder / "broken.md").symlink_to(folder / "nowhere.md")
    (folder / "all").symlink_to(outside)
    (folder / "loop").symlink_to(folder)
    found = find_documents(str(folder))
    assert list(found.files) == ["again.md", "own.md"]
    assert {p.file: p.reason.split(";")[0] for p in found.problems} == {
        "away.md": "a link that leaves the folder",
        "broken.md": "a broken link, or the file has disappeared",
    }


def test_what_is_no_file_is_never_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.md")
    found = find_documents(str(tmp_path))
    assert (found.files, [str(p) for p in found.problems]) == ({}, ["pipe.md: not a regular file"])


def test_a_name_that_is_no_utf8_is_a_problem_that_can_be_printed(tmp_path):
    os.close(os.open(os.fsencode(tmp_path) + b"/caf\xe9.md", os.O_CREAT))
    (problem,) = find_documents(str(tmp_path)).problems
    assert str(problem) == "caf\\xe9.md: its name is not valid UTF-8; rename it"


@pytest.fixture
def open_folder():
    """A folder that any user may read, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@contextmanager
def no_root():
    """Root may read everything, so it becomes another user for a while."""
    was_root = os.geteuid() == 0
    if was_root:
        os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        if was_root:
            os.setresuid(0, 0, 0)


def test_what_may_not_be_read_is_a_problem(open_folder):
    (open_folder / "a.md").touch(mode=0)
    with no_root():
        (problem,) = find_documents(str(open_folder)).problems
    assert str(problem) == "a.md: no permission to read it"


def test_a_missing_path_is_one_line(tmp_path):
    with pytest.raises(SourceError, match=r"^augft\.documents: .*nowhere: there is no such file or folder$"):
        find_documents(str(tmp_path / "nowhere"))
