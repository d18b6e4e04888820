"""Recipe and counts -> a data set card: the README.md beside the Parquet files, with the hub's YAML header.

It is a pure function of the recipe and the manifest, like the rest of a result, and names no path of this machine.
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

import yaml

from axolotl_augft.config.augment import Augment
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.config.strategy_settings import StrategySettings
from axolotl_augft.files.code_digest import code_digest
from axolotl_augft.output.manifest import Manifest, WrittenFile
from axolotl_augft.output.mixture import shares_of, training_groups
from axolotl_augft.verifying.records import VerificationRecord

CARD = "README.md"
_PAPER = "https://arxiv.org/abs/2505.00661"
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_COLUMNS = {
    "augft_strategy": "strategy that asked for it",
    "augft_kind": "kind: rephrasing, reversal, consequence, conclusion, trace …",
    "augft_source": "data set entry of its source row",
    "augft_row": "number of its source row",
    "augft_sentence": "number of the sentence that it is about, from 0",
    "augft_document": "id of the document: the first digits of its text's SHA-256",
    "augft_request": "key of the request to the teacher",
    "augft_sample": "number of the sample of its prompt",
    "augft_probability": "probability that it must be true if its source is, by the model that verifies",
    "augft_alone": "probability that it can be understood without its source, likewise",
    "augft_rests_on": "ids of the other documents that a conclusion rests on, as the teacher named them",
    "augft_overruled": "what the statement was rejected for, before a person brought it in",
}


def shown_path(path: str) -> str:
    """Return a path or a name for others to see: of an absolute path, which may name a person, the last part."""
    return PurePath(path).name if PurePath(path).is_absolute() else path


def card(
    recipe: Recipe,
    manifest: Manifest,
    license: str | None = None,
    files: Mapping[str, str] | None = None,
) -> str:
    """Write the card.

    Args:
        recipe: The recipe.
        manifest: Its result.
        license: Identifier of the data set's licence on the hub, None if nobody said.
        files: The files to name, each with what it holds; all Parquet files of what the teacher wrote by default.
    """
    named = files or {file.name: what for file, what in written_files(manifest) if what in _WRITTEN}
    header = yaml.safe_dump(_header(recipe, manifest, license, named), sort_keys=False, allow_unicode=True)
    return f"---\n{header}---\n\n" + "\n".join(_lines(recipe, manifest, license, named)) + "\n"


REPLAYED = "general rows, replayed"
_WRITTEN = ("augmentations with the source's columns", "questions and answers about plain text")


def written_files(manifest: Manifest) -> Iterator[tuple[WrittenFile, str]]:
    """Yield the Parquet files of a result, each with what it holds."""
    for entry in manifest.entries:
        found = (entry.augmented, entry.questions, entry.original_file, entry.held_out)
        for file, what in zip(found, (*_WRITTEN, "source rows, as trained on", "held-out source rows"), strict=True):
            if file:
                yield file, what
    if manifest.replay:
        yield manifest.replay.file, REPLAYED


def _header(recipe: Recipe, manifest: Manifest, license: str | None, files: Mapping[str, str]) -> dict[str, Any]:
    rows = sum(file.rows for file, _ in written_files(manifest) if file.name in files)
    size = next((name for most, name in _SIZES if rows < most), "n>1M")
    parquet = [name for name in files if name.endswith(".parquet")]
    return {
        **({"license": license} if license else {}),
        "language": [recipe.augft.language],
        "task_categories": ["text-generation"],
        "size_categories": [size],
        "tags": ["synthetic", "augmented-fine-tuning", "axolotl"],
        "configs": [
            {"config_name": PurePath(name).stem, "data_files": [{"split": "train", "path": name}]} for name in parquet
        ],
    }


def _lines(
    recipe: Recipe,
    manifest: Manifest,
    license: str | None,
    files: Mapping[str, str],
) -> Iterator[str]:
    counts = manifest.counts
    assigned = [a.augment for a in recipe.assignments()]
    teacher = shown_path(manifest.teacher_id) if any(settings.asks for settings in assigned) else None
    yield from _beginning(counts.documents, teacher, [settings for settings in assigned if not settings.asks])
    yield from ("", "| File | Rows | Tokens | Content |", "|---|---|---|---|")
    for file, what in written_files(manifest):
        if file.name in files:
            estimated = "" if manifest.exact_tokens else " (estimated)"
            yield f"| `{file.name}` | {file.rows:,} | {file.tokens:,}{estimated} | {what} |"
    yield from (f"| `{name}` | | | {what} |" for name, what in files.items() if not name.endswith(".parquet"))
    yield from ("", "## How it was made", "")
    yield f"* Teacher: `{teacher}`, temperature {recipe.augft.teacher.temperature}" if teacher else "* Teacher: none"
    whose = "of the teacher and of the sources" if teacher else "of the sources"
    yield f"* Licence: {f'`{license}`' if license else f'not stated; the terms {whose} apply'}"
    yield from (f"* {line}" for line in dict.fromkeys(map(_strategy, assigned)))
    yield f"* Prompts and rules: axolotl-augft, code digest `{code_digest()[:16]}`; seed {recipe.seed}"
    yield from _mixture(manifest, recipe)
    if probe := manifest.probe:
        knows = (
            f"{probe.known_sentences:,} of {probe.sentences:,} sentences that `{shown_path(probe.by)}` knew untrained"
        )
        yield f"* Not asked about: {knows}"
    yield from _counted("Kept", counts.accepted)
    yield from _counted("Rejected", counts.rejected)
    if counts.by_hand:
        yield from ("", f"A person went through the statements: {counts.by_hand}.")
    yield from ("", "## How far to trust it", "", _trust(manifest.verification), "")
    yield from _held_out(manifest)
    yield from ("", "## How to load it", "", "```python", "from datasets import load_dataset", "")
    name = PurePath(next(iter(files), "0-augmented.parquet")).stem
    yield from (f'rows = load_dataset("ORG/NAME", "{name}", split="train")', "```", "")
    yield from ("Besides the columns of the source, each row has:", "", "| Column | Meaning |", "|---|---|")
    yield from (f"| `{column}` | {meaning} |" for column, meaning in _COLUMNS.items())


def _beginning(documents: int, teacher: str | None, rules: list[Augment]) -> Iterator[str]:
    """Say who wrote the statements.

    Args:
        documents: Number of documents.
        teacher: Name of the teacher model; None if it was not asked.
        rules: The settings of the strategies that ask nobody.
    """
    what = f"these statements about {documents:,} documents"
    why = f"for augmented fine-tuning ([Lampinen et al. 2025]({_PAPER})), with axolotl-augft"
    named = " and ".join(sorted({f"`{settings.strategy}`" for settings in rules}))
    if teacher is None:
        yield from ("# What follows from the data", "")
        yield f"Rules made {what} from their sentences {why}. They are synthetic, and no model wrote them."
        return
    yield from ("# What follows from the data, in the words of a teacher model", "")
    but = f", except those of strategy {named}, which rules made from the documents' sentences" if rules else ""
    yield (
        f"`{teacher}` wrote {what} {why}{but}. They are synthetic: each should follow from its source, but a model "
        "wrote it."
    )


def _mixture(manifest: Manifest, recipe: Recipe) -> Iterator[str]:
    if recipe.augft.mix is None and recipe.augft.replay is None:
        return
    if replay := manifest.replay:
        rows, path = replay.file.rows, shown_path(replay.path)
        yield f"* Replayed beside them, and never shown to the teacher: {rows:,} rows of `{path}`"
    shares = ", ".join(f"{share.name} {share.share:.1%}" for share in shares_of(training_groups(manifest, recipe)))
    yield f"* Shares of trained tokens: {shares}"


def _strategy(settings: StrategySettings) -> str:
    """Describe an `augment` entry, its own files by their digests."""
    own = settings.files
    set_by_user = settings.model_dump(mode="json", exclude_defaults=True, exclude={"strategy"})
    parts = [
        f"{key} sha256 `{_sha256(value)}`" if value in own else f"{key} {', '.join(value) if key == 'kinds' else value}"
        for key, value in set_by_user.items()
    ]
    return f"Strategy `{settings.strategy}`" + (f": {', '.join(parts)}" if parts else ", with its defaults")


def _sha256(path: str) -> str:
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]
    except OSError:
        return "unknown"


def _counted(title: str, counts: Mapping[str, int]) -> Iterator[str]:
    if counts:
        yield from ("", f"{title}: {sum(counts.values()):,} statements", "", "| | Statements |", "|---|---|")
        yield from (f"| {name} | {n:,} |" for name, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _trust(verification: VerificationRecord | None) -> str:
    if verification is None:
        return "No model verified the statements. Read a sample before you train on it."
    method = f"`{shown_path(verification.by)}` verified the statements ({verification.method})"
    if verification.precision is None:
        return f"{method}; {verification.basis}. Read a sample before you train on it."
    return f"{method}; estimated precision {verification.precision:.0%} ({verification.basis})."


def _held_out(manifest: Manifest) -> Iterator[str]:
    held_out = sum(entry.held_out.rows for entry in manifest.entries if entry.held_out)
    if held_out:
        yield (
            f"{held_out:,} source rows were held out for evaluation before anything was written; nothing here is about "
            "them, and statements that give their answers away were rejected."
        )
    else:
        yield "No source rows were held out."
