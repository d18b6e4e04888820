"""Files -> stamps (size, time, digest), which tell quickly whether a file is still the same."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_MODEL_SUFFIXES = {".safetensors", ".bin", ".gguf", ".json", ".jinja", ".model", ".txt"}


@dataclass(frozen=True)
class FileStamp:
    """What a file was like when it was read.

    Attributes:
        path: The file.
        size: Bytes.
        mtime_ns: Modification time in nanoseconds.
        sha256: Hexadecimal digest of the content.
    """

    path: str
    size: int
    mtime_ns: int
    sha256: str

    def is_current(self) -> bool:
        """Tell whether the file still has this content; reads it only if the size is the same but the time is not."""
        try:
            stat = Path(self.path).stat()
        except OSError:
            return False
        if stat.st_size != self.size:
            return False
        return stat.st_mtime_ns == self.mtime_ns or _sha256(Path(self.path)) == self.sha256


def stamp_files(paths: Iterable[Path], known: Mapping[str, FileStamp]) -> list[FileStamp]:
    """Stamp each file once, sorted by path; read its content only if size or time differ from the known stamp.

    Args:
        paths: The files.
        known: Earlier stamps by path.
    """
    return [_stamp(path, known.get(str(path))) for path in sorted(set(paths))]


def _stamp(path: Path, known: FileStamp | None) -> FileStamp:
    stat = path.stat()
    if known and (known.size, known.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
        return known
    return FileStamp(str(path), stat.st_size, stat.st_mtime_ns, _sha256(path))


def model_files(folder: Path) -> list[Path]:
    """List the files of a model folder that affect its answers: weights, tokenizer, configuration, chat template."""
    return [f for f in sorted(folder.iterdir()) if f.is_file() and f.suffix in _MODEL_SUFFIXES]


def combined_digest(stamps: Iterable[FileStamp]) -> str:
    """Return one digest (hexadecimal) of the names and contents of files; their folder does not matter."""
    digest = hashlib.sha256()
    for stamp in stamps:
        digest.update(f"{Path(stamp.path).name}\0{stamp.sha256}\n".encode())
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
