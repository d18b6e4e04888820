"""Files -> digests of their content, and the quick question whether a file is still the same."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_MODEL_SUFFIXES = {".safetensors", ".bin", ".gguf", ".json", ".jinja", ".model", ".txt"}


@dataclass(frozen=True)
class FileStamp:
    """A file's content digest, and the size (bytes) and time stamp (ns) it had then."""

    path: str
    size: int
    mtime_ns: int
    sha256: str

    def is_current(self) -> bool:
        """Whether the file has the same content still: by size and time stamp, or by content where only the time differs."""
        try:
            stat = Path(self.path).stat()
        except OSError:
            return False
        if stat.st_size != self.size:
            return False
        return stat.st_mtime_ns == self.mtime_ns or _sha256(Path(self.path)) == self.sha256


def stamp_files(paths: Iterable[Path], known: Mapping[str, FileStamp]) -> list[FileStamp]:
    """Stamps of files, by path; a content is read only where size or time stamp differ from a known stamp."""
    return [_stamp(path, known.get(str(path))) for path in sorted(set(paths))]


def _stamp(path: Path, known: FileStamp | None) -> FileStamp:
    stat = path.stat()
    if known and (known.size, known.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
        return known
    return FileStamp(str(path), stat.st_size, stat.st_mtime_ns, _sha256(path))


def model_files(folder: Path) -> list[Path]:
    """The files of a model folder that decide what the model answers: weights, tokenizer, configuration, chat template."""
    return [f for f in sorted(folder.iterdir()) if f.is_file() and f.suffix in _MODEL_SUFFIXES]


def combined_digest(stamps: Iterable[FileStamp]) -> str:
    """One digest over the names and contents of files, wherever their folder lies."""
    digest = hashlib.sha256()
    for stamp in stamps:
        digest.update(f"{Path(stamp.path).name}\0{stamp.sha256}\n".encode())
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
