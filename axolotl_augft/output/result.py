"""Sources and judged inferences -> Parquet files and the manifest, in source order.

The result depends only on documents, settings and stored answers, so it is byte-identical in whatever order the answers
arrived. Files are written into a folder with a temporary name and synced; then the folder is renamed to the digest of
its content.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import NothingAccepted
from axolotl_augft.files.durable import sync, write_error, write_json
from axolotl_augft.judging.rules import Judged
from axolotl_augft.output.augmented import MakeParts
from axolotl_augft.output.card import CARD, card
from axolotl_augft.output.manifest import MANIFEST, Counts, Manifest, result_folder
from axolotl_augft.output.mixture import mixed_entries
from axolotl_augft.output.replayed import write_replay
from axolotl_augft.output.student import Student
from axolotl_augft.output.writer import RequestCounts, ResultWriter
from axolotl_augft.probing.record import ProbeRecord
from axolotl_augft.sources.replay import Replay
from axolotl_augft.sources.source import Source
from axolotl_augft.verifying.records import VerificationRecord


@dataclass(frozen=True)
class Verdicts:
    """What was judged, and how.

    Attributes:
        judged: The inferences, in document order.
        verification: How they were verified, None if no model was asked.
        probe: What the student was found to know, None if it was not asked.
        sentences: How many sentences were to be asked about, if not all is answered; None if all of them were judged.
    """

    judged: Iterable[Judged]
    verification: VerificationRecord | None = None
    probe: ProbeRecord | None = None
    sentences: int | None = None


@dataclass(frozen=True)
class ResultInput:
    """What a result is made of.

    Attributes:
        sources: The sources, in the order of their entries.
        verdicts: The judged inferences.
        student: The student model, for counting tokens and for its special tokens.
        teacher_id: Name of the teacher model in request keys.
        requests: Counts for the manifest.
        replay: General rows to train on too.
    """

    sources: list[Source]
    verdicts: Verdicts
    student: Student
    teacher_id: str
    requests: RequestCounts
    replay: Replay | None = None


def write_result(
    recipe: Recipe, given: ResultInput, may_be_empty: bool = False, make_parts: MakeParts | None = None
) -> Manifest:
    """Write the files of a result, and return its manifest.

    Args:
        recipe: The recipe.
        given: What the result is made of.
        may_be_empty: Write a result without accepted statements, too, for a person to look at.
        make_parts: Makes the rows of judged inferences; by default, this process does.

    Raises:
        OutputError: The folder cannot be written.
        ConfigError: The shares of `augft.mix` or `augft.replay` cannot be reached.
        NothingAccepted: The recipe asks for augmentations, but no statement was accepted.
    """
    verdicts, student = given.verdicts, given.student
    folder = recipe.output_dir / f".writing-{os.getpid()}"
    try:
        for left_behind in recipe.output_dir.glob(".writing-*"):
            shutil.rmtree(left_behind, ignore_errors=True)
        folder.mkdir(parents=True)
        writer = ResultWriter(recipe, student, folder, make_parts)
        entries = writer.write(given.sources, verdicts.judged)
        counts = writer.counts(given.requests)
        if recipe.assignments() and not counts.accepted and not may_be_empty:
            raise NothingAccepted(
                f"no statement was accepted, so there is nothing to add ({_reasons(counts, verdicts.probe)}); "
                "see 'no statement was accepted' in docs/troubleshooting.md"
            )
        coverage, diversity = writer.tally.coverage.coverage(), writer.tally.diversity.counted
        if verdicts.sentences is not None:
            coverage = replace(coverage, sentences=verdicts.sentences)
        exact = student.tokens.exact
        entries = mixed_entries(recipe, entries, folder, writer.sizes)
        manifest = Manifest(
            "",
            given.teacher_id,
            entries,
            counts,
            coverage,
            diversity,
            exact,
            verdicts.verification,
            probe=verdicts.probe,
        )
        if given.replay is not None:
            manifest = replace(manifest, replay=write_replay(given.replay, manifest, recipe, student, folder))
        (folder / CARD).write_text(card(recipe, manifest), encoding="utf-8")
        manifest = replace(manifest, fingerprint=_fingerprint(folder, manifest))
        write_json(folder / MANIFEST, manifest.as_json())
        _publish(folder, result_folder(recipe, manifest.fingerprint))
    except OSError as error:
        raise write_error(Path(error.filename or folder), error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return manifest


def _reasons(counts: Counts, probe: ProbeRecord | None) -> str:
    if probe is not None and probe.left_out.total and not counts.rejected:
        return (
            f"augft.probe left out {probe.left_out.total} requests about what the student knows, and no other is left"
        )
    none = "the teacher wrote none" if counts.requests else "no sentence could be turned, and no teacher was asked"
    return ", ".join(f"{reason} {n}" for reason, n in counts.rejected.items()) or none


def _fingerprint(folder: Path, manifest: Manifest) -> str:
    """Return a digest of the files and of what the manifest says about them."""
    digest = hashlib.sha256(orjson.dumps(manifest.as_json(), option=orjson.OPT_SORT_KEYS))
    for file in sorted(folder.iterdir()):
        with file.open("rb") as stream:
            digest.update(f"{file.name}\0{hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


def _publish(folder: Path, target: Path) -> None:
    for file in folder.iterdir():
        sync(file)
    if {f.name for f in folder.iterdir()} != ({f.name for f in target.iterdir()} if target.exists() else set()):
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)
        sync(target.parent)
