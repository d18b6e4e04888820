"""Recipe -> its finished result, if there is one and its inputs have not changed.

Local files (data, prompts, worked examples, the teacher's folder) are compared by size and time stamp, and by content
if only the time differs. Sources that are not local are loaded (from the hub's cache) and compared by content.
"""

import glob
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from axolotl_augft.config.entries import DatasetEntry
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.config.teacher import TeacherConfig
from axolotl_augft.conversion.find import find_documents
from axolotl_augft.errors import ConfigError
from axolotl_augft.files.fingerprints import FileStamp, model_files, stamp_files
from axolotl_augft.output.manifest import Manifest, load_record, result_folder
from axolotl_augft.sources.source import content_format, load_entry, row_digest
from axolotl_augft.teacher.teacher import teacher_model


def find_result(recipe: Recipe) -> Manifest | None:
    """Return the recipe's result, or None if there is none, an input has changed or one of its files is gone."""
    record = load_record(recipe)
    if record is None or not all(stamp.is_current() for stamp in record.inputs):
        return None
    if {stamp.path for stamp in record.inputs} != {str(p) for p in _input_paths(recipe)}:
        return None
    manifest = Manifest.load(result_folder(recipe, record.fingerprint))
    if manifest is None or not all(
        (result_folder(recipe, record.fingerprint) / name).is_file() for name in _file_names(manifest)
    ):
        return None
    return manifest if record.remote_digest == remote_digest(recipe) else None


def refuse_relative_paths(recipe: Recipe) -> None:
    """Check that axolotl's workers on Ray, which run in a folder of their own, will find the recipe's files.

    Without one of them they would take the result for another recipe's, and make it anew.

    Raises:
        ConfigError: A file or folder is named by a relative path.
    """
    if os.environ.get("RAY_CHDIR_TO_TRIAL_DIR") == "0":
        return
    # First those of the training data, so that a folder is named as in the recipe, and not a file in it.
    keys = {e.path: "augft.documents" if e.is_documents else "datasets" for e in recipe.datasets}
    for path in [*keys, *sorted(map(str, _input_paths(recipe)))]:
        if not os.path.isabs(path) and os.path.exists(path):
            raise ConfigError(
                f"{keys.get(path, 'the recipe')} names {path!r}, but with use_ray the training runs in another folder; "
                f"write {os.path.abspath(path)!r}, or set RAY_CHDIR_TO_TRIAL_DIR=0"
            )


def input_stamps(recipe: Recipe) -> list[FileStamp]:
    """Stamp every local file that the result depends on.

    A file whose size and time are those of the previous result is not read again.
    """
    record = load_record(recipe)
    known = {stamp.path: stamp for stamp in record.inputs} if record else {}
    return stamp_files(_input_paths(recipe), known)


def model_stamps(recipe: Recipe, model: TeacherConfig, stamps: list[FileStamp]) -> list[FileStamp]:
    """Select the stamps of the files of a model that is asked; none if it has an `id` or is no local folder."""
    own = {str(p) for p in _model_paths(recipe, model)}
    return [stamp for stamp in stamps if stamp.path in own]


def remote_digest(recipe: Recipe) -> str | None:
    """Return a digest of the rows of all entries that are not local, or None if all entries are local."""
    remote = [(e, s) for e, s in _entries(recipe) if local_files(e) is None]
    if not remote:
        return None
    digest = hashlib.sha256()
    for entry, split in remote:
        form = content_format(entry)
        for row in load_entry(entry, split, recipe):
            digest.update(row_digest(row, form))
    return digest.hexdigest()


def local_files(entry: DatasetEntry) -> list[Path] | None:
    """List the files of an entry as axolotl's loader finds them, or return None if its path is not local.

    Skips the cache files that `datasets` writes into a folder saved to disk, because they are not part of the data.
    """
    path = Path(entry.path)
    if entry.is_documents:
        return list(find_documents(entry.path).files.values()) if path.exists() else []
    if path.is_file():
        return [path]
    if not path.is_dir():
        return None
    patterns = entry.loading.get("data_files")
    if patterns:
        named = [patterns] if isinstance(patterns, str) else patterns
        return sorted(Path(f) for pattern in named for f in glob.glob(pattern, recursive=True))
    return sorted(
        f for f in path.rglob("*") if f.is_file() and not (f.name.startswith("cache-") and f.suffix == ".arrow")
    )


def _entries(recipe: Recipe) -> Iterator[tuple[DatasetEntry, str]]:
    yield from ((e, "train") for e in recipe.datasets)
    yield from ((e, "test") for e in recipe.test_datasets)
    if recipe.replay is not None and recipe.augft.replay is not None and not recipe.augft.replay.is_built_in:
        yield recipe.replay, "train"


def _input_paths(recipe: Recipe) -> set[Path]:
    paths = {f for entry, _ in _entries(recipe) for f in local_files(entry) or []}
    for assignment in recipe.assignments():
        paths.update(path for file in assignment.augment.files if (path := Path(file)).is_file())
    if recipe.augft.marks is not None and (path := Path(recipe.augft.marks)).is_file():
        paths.add(path)
    return paths.union(*(_model_paths(recipe, model) for model in recipe.augft.models))


def _model_paths(recipe: Recipe, model: TeacherConfig) -> list[Path]:
    if model.id is not None:
        return []
    folder = Path(teacher_model(model, recipe.base_model))
    return model_files(folder) if folder.is_dir() else []


def _file_names(manifest: Manifest) -> Iterator[str]:
    for entry in manifest.entries:
        yield from (file.name for file in entry.files)
    if manifest.replay:
        yield from (file.name for file in (manifest.replay.file, manifest.replay.file.part) if file)
