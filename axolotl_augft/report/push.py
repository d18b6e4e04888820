"""Finished result -> a data set on the Hugging Face hub: what the teacher wrote, with a card that lets others judge it.

The files are copied first, and in the copies no absolute path stands for a source.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import OutputError
from axolotl_augft.output.card import CARD, REPLAYED, card, shown_path, written_files
from axolotl_augft.output.manifest import Manifest, result_folder
from axolotl_augft.output.row_file import REJECTED
from axolotl_augft.teacher.teacher import teacher_model
from axolotl_augft.text.tokens import local_model_file

_SOURCE = "augft_source"
_OF_SOURCES = ("source rows, as trained on", "held-out source rows")


@dataclass(frozen=True)
class Upload:
    """What would be uploaded.

    Attributes:
        folder: A folder that holds exactly these files.
        files: Names and sizes in bytes.
        license: The licence that the card names, None if it names none.
    """

    folder: Path
    files: dict[str, int]
    license: str | None


@contextmanager
def upload_of(recipe: Recipe, manifest: Manifest, license: str | None, with_sources: bool) -> Iterator[Upload]:
    """Lay out what would be uploaded, in a temporary folder that is deleted at the end of the `with` block.

    Args:
        recipe: The recipe.
        manifest: Its result.
        license: Licence for the card; by default the teacher's, if its own card is on this machine.
        with_sources: Also the source rows that the stage wrote anew, and the held-out rows.

    Raises:
        OutputError: A file cannot be copied.
    """
    source = result_folder(recipe, manifest.fingerprint)
    # Replayed rows are somebody else's: they stay here.
    left_out = (REPLAYED,) if with_sources else (*_OF_SOURCES, REPLAYED)
    chosen = {f.name: what for f, what in written_files(manifest) if what not in left_out}
    license = license or teacher_license(recipe)
    with TemporaryDirectory() as name:
        folder = Path(name)
        try:
            for file in chosen:
                _copy_rows(source / file, folder / file)
            _copy_rejected(source / REJECTED, folder / REJECTED)
            files = {**chosen, REJECTED: "rejected statements, each with the reason"}
            text = card(recipe, manifest, license, files)
            (folder / CARD).write_text(text, encoding="utf-8")
        except OSError as error:
            raise OutputError(
                f"{folder}: cannot be written ({error.strerror}); set TMPDIR to a folder with room"
            ) from error
        yield Upload(folder, {f.name: f.stat().st_size for f in sorted(folder.iterdir())}, license)


def push(upload: Upload, repository: str, private: bool) -> str:
    """Upload the files, and return the address of the data set.

    Args:
        upload: What to upload.
        repository: `organisation/name`; made if it does not exist.
        private: Only its owner may see it, if it is made now.

    Raises:
        OutputError: The hub cannot be reached, or refuses; the message holds no token.
    """
    import httpx
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError, OfflineModeIsEnabled

    api = HfApi()
    try:
        made = api.create_repo(repository, repo_type="dataset", private=private, exist_ok=True)
        api.upload_folder(
            repo_id=made.repo_id,
            repo_type="dataset",
            folder_path=upload.folder,
            commit_message="Augmentations by axolotl-augft",
        )
    except OfflineModeIsEnabled:
        raise OutputError("HF_HUB_OFFLINE is set, so nothing was uploaded; unset it and push again") from None
    except LocalTokenNotFoundError:
        raise OutputError("there is no token for the hub here; log in with `hf auth login`, or set HF_TOKEN") from None
    except HFValidationError:
        raise OutputError(f"{repository!r} is not the name of a data set; give organisation/name") from None
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else "no answer"
        raise OutputError(
            f"the hub refuses {repository} ({status}); check the name and that your token may write"
        ) from None
    except httpx.HTTPError as error:
        raise OutputError(f"the hub cannot be reached ({type(error).__name__}); try again later") from None
    return f"{api.endpoint}/datasets/{made.repo_id}"


def teacher_license(recipe: Recipe) -> str | None:
    """Return the licence that the teacher's own card names.

    None if no strategy asks the teacher, or its card is not on this machine or names none.
    """
    if not any(assignment.augment.asks for assignment in recipe.assignments()):
        return None
    file = local_model_file(teacher_model(recipe.augft.teacher, recipe.base_model), CARD)
    if file is None:
        return None
    parts = file.read_text(encoding="utf-8", errors="replace").split("---\n")
    if len(parts) < 3 or parts[0]:
        return None
    with suppress(yaml.YAMLError):
        header = yaml.safe_load(parts[1])
        found = header.get("license") if isinstance(header, dict) else None
        return found if isinstance(found, str) else None
    return None


def _copy_rows(source: Path, target: Path) -> None:
    with pq.ParquetFile(source) as rows, pq.ParquetWriter(target, rows.schema_arrow) as writer:
        at = rows.schema_arrow.get_field_index(_SOURCE)
        for batch in rows.iter_batches():
            shown = pa.array([shown_path(p) for p in batch.column(at).to_pylist()], rows.schema_arrow.field(at).type)
            writer.write_batch(batch.set_column(at, rows.schema_arrow.field(at), shown))


def _copy_rejected(source: Path, target: Path) -> None:
    with source.open("rb") as lines, target.open("wb") as file:
        for line in lines:
            item = orjson.loads(line)
            file.write(orjson.dumps({**item, _SOURCE: shown_path(item[_SOURCE])}, option=orjson.OPT_APPEND_NEWLINE))
