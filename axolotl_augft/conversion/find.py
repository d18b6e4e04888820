"""A path of `augft.documents` -> the files that can be converted, and those left out with the reason."""

import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from axolotl_augft.conversion.convert import CONVERTERS
from axolotl_augft.errors import SourceError
from axolotl_augft.text.terminal import clean

# Office's lock files beside an open document, and the folder that macOS adds to archives.
_BY_PROGRAMS = ("~$", "__MACOSX")
# What an output folder of this package holds. The cards and pages in it are no documents.
_OUTPUT_FOLDER = {"lock", "recipes"}


@dataclass(frozen=True)
class FileProblem:
    """A remark about a file, named by its path in the folder: usually the reason why it is left out."""

    file: str
    reason: str

    def __str__(self) -> str:
        return f"{clean(self.file)}: {self.reason}"


@dataclass(frozen=True)
class Found:
    """The content of a path of `augft.documents`.

    Attributes:
        files: Files that can be converted, sorted, by the name that provenance shows: the path in the folder, with `/`.
        problems: Files with a known suffix that cannot be used, and folders that cannot be read.
        unknown: Number of files by other suffix, the most frequent first.
    """

    files: dict[str, Path] = field(default_factory=dict)
    problems: tuple[FileProblem, ...] = ()
    unknown: dict[str, int] = field(default_factory=dict)


def find_documents(path: str) -> Found:
    """Search a folder and its subfolders, without opening a file; a single file counts as a folder of one.

    Hidden files and folders (such as `.git`) and output folders of this package are skipped. Links to folders are not
    followed, and a link to a file outside the folder is a problem, so that nothing outside the folder is trained on by
    accident.

    Raises:
        SourceError: The path does not exist.
    """
    root = Path(path)
    if not root.exists():
        raise SourceError(f"augft.documents: {path}: there is no such file or folder")
    problems: list[FileProblem] = []
    files: dict[str, Path] = {}
    unknown = Counter[str]()
    base = root if root.is_dir() else root.parent
    for file in sorted(_files(root, base, problems) if root.is_dir() else [root]):
        name = file.relative_to(base).as_posix()
        reason = None if file == root else _reason_against(file, root)
        if file.suffix.lower() not in CONVERTERS:
            unknown[file.suffix.lower() or "(no suffix)"] += 1
        elif reason:
            problems.append(FileProblem(_printable(name), reason))
        else:
            files[name] = file
    return Found(files, tuple(problems), dict(sorted(unknown.items(), key=lambda item: (-item[1], item[0]))))


def _files(root: Path, base: Path, problems: list[FileProblem]) -> Iterator[Path]:
    def failed(error: OSError) -> None:
        name = Path(error.filename).relative_to(base).as_posix()
        problems.append(FileProblem(_printable(name), f"the folder cannot be read ({error.strerror})"))

    for folder, folders, names in os.walk(root, onerror=failed):
        if {*folders, *names} >= _OUTPUT_FOLDER:
            folders.clear()
            continue
        folders[:] = [name for name in folders if not _is_hidden(name)]
        yield from (Path(folder, name) for name in names if not _is_hidden(name))


def _is_hidden(name: str) -> bool:
    return name.startswith((".", *_BY_PROGRAMS))


def _reason_against(file: Path, root: Path) -> str | None:
    if _printable(file.name) != file.name or _printable(str(file)) != str(file):
        return "its name is not valid UTF-8; rename it"
    try:
        if not file.resolve(strict=True).is_relative_to(root.resolve()):
            return "a link that leaves the folder; copy the file into it, or name it under augft.documents"
        if not stat.S_ISREG(file.stat().st_mode):
            return "not a regular file"
    except (OSError, RuntimeError):
        return "a broken link, or the file has disappeared"
    return None if os.access(file, os.R_OK) else "no permission to read it"


def _printable(name: str) -> str:
    """Escape the lone surrogates in a name, which stand for bytes that are not UTF-8."""
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")
