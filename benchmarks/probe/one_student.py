"""One seed of the experiment: a student that knows half of the people -> what each way of asking makes of it."""

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from half_known import HalfKnown, Lesson
from small_students import BATCH, Student, taught, train

from axolotl_augft.bench.datasets.dataset import write_documents
from axolotl_augft.bench.datasets.making import grammar_of
from axolotl_augft.bench.experiments.plan import documents_entry
from axolotl_augft.bench.oracle.server import OracleServer
from axolotl_augft.bench.report.results import CellResult, Condition, TeacherUse, TrainingUse, cell_of
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.files.durable import read_json, write_json
from axolotl_augft.output.manifest import Manifest, result_folder
from axolotl_augft.prepared import Prepared, prepared
from axolotl_augft.probing.record import ProbeRecord
from axolotl_augft.stage import run_stage

BEFORE, ALONE, EVERYTHING, PROBE, RANDOM = "before", "alone", "everything", "probe", "random"
EVERYTHING_REPLAY, PROBE_REPLAY = "everything-replay", "probe-replay"
"""The ways: not trained further; on the documents alone; and on what the teacher wrote about all of them, about those
that the student was found not to know, or about as many at random; with replay of what the student was taught."""

STEPS, RATE = 300, 8e-3
"""Steps and learning rate; of several, those with which the student of seed 0 learnt most from what was written about
everything."""
_REPLAYED = 0.3
_LOCAL = {"strategy": "local", "kinds": ["rephrasing", "reversal"]}


@dataclass(frozen=True)
class Found:
    """What the probe found of one student.

    Attributes:
        questions: Questions to the student.
        right: Those that it answered right.
        known: Documents that count as known.
        known_rightly: Those of them that are about people of whom it was taught.
        taught: All documents about people of whom it was taught.
        left_out: The teacher's requests that were left out.
    """

    questions: int
    right: int
    known: int
    known_rightly: int
    taught: int
    left_out: int


@dataclass(frozen=True)
class Asked:
    """What became of asking the teacher about some documents.

    Attributes:
        use: The teacher's requests and tokens.
        texts: What it wrote, and the rows of `replay` if there are any: what is trained on beside the documents.
        found: What the probe found; None without it.
    """

    use: TeacherUse
    texts: tuple[str, ...]
    found: Found | None


@dataclass(frozen=True)
class Finished:
    """A seed that is finished.

    Attributes:
        cells: The scored students, by the way they were trained further.
        found: What the probe found.
    """

    cells: dict[str, CellResult]
    found: Found


def finished(folder: Path, rate: float) -> Finished | None:
    """Load a seed that is finished with a learning rate."""
    data = read_json(_done(folder, rate))
    if not isinstance(data, dict):
        return None
    return Finished({way: cell_of(cell) for way, cell in data["cells"].items()}, Found(**data["found"]))


def _done(folder: Path, rate: float) -> Path:
    return folder / f"rate-{rate:g}.json"


def run(folder: Path, world: HalfKnown, rate: float) -> Finished:
    """Ask in all ways, train and score a student for each, and save what came of it.

    Args:
        folder: Folder for all files of the seed.
        world: The documents, the questions and what the student was taught before.
        rate: Learning rate of the further training.
    """
    documents = world.data.documents
    with OracleServer(world.data, grammar_of(world.data)) as server:
        student = _OneStudent(folder, world, server.teacher_block(), rate)
        probed = student.ask(PROBE, documents, probe=True)
        # As many documents as the probe left: each is one sentence, and so one request.
        shuffled = random.Random(f"asked {world.data.seed}").sample(documents, len(documents))
        some, others = shuffled[: probed.use.requests], shuffled[probed.use.requests :]
        asked = {
            EVERYTHING: student.ask(EVERYTHING, documents),
            PROBE: probed,
            RANDOM: student.ask(RANDOM, some, others),
            EVERYTHING_REPLAY: student.ask(EVERYTHING_REPLAY, documents, replay=student.replay),
            PROBE_REPLAY: student.ask(PROBE_REPLAY, documents, probe=True, replay=student.replay),
        }
    trained = {way: student.trained(of_way) for way, of_way in asked.items()}
    assert probed.found is not None
    done = Finished({BEFORE: student.before(), ALONE: student.trained(), **trained}, probed.found)
    write_json(_done(folder, rate), asdict(done))
    return done


class _OneStudent:
    """A student that was taught about half of the people, and what it is trained on further.

    Args:
        folder: Folder for all files of the seed.
        world: The documents, the questions and what the student was taught before.
        teacher: The `augft.teacher` block.
        rate: Learning rate of the further training.
    """

    def __init__(self, folder: Path, world: HalfKnown, teacher: Mapping[str, Any], rate: float) -> None:
        self._folder = folder
        self._world = world
        self._teacher = teacher
        self._rate = rate
        self._student = taught(folder, world)
        self._seed = world.data.seed

    @property
    def replay(self) -> dict[str, Any]:
        """The `augft.replay` block for sentences that the student was taught before."""
        sentences = [row.told for row in self._world.before if not row.prompt]
        return {"path": self._entry("before", sentences)["path"], "type": "completion", "share": _REPLAYED}

    def ask(self, way: str, documents: Sequence[str], others: Sequence[str] = (), **augft: Any) -> Asked:
        """Run the stage, with documents that the teacher may be asked about and others that it is not asked about."""
        entries = [self._entry(f"{way}-documents", documents)]
        if others:
            entries.append(self._entry(f"{way}-others", others))
        block = {
            "teacher": {"seed": 0, **self._teacher}, "augment": [_LOCAL], "exclude": [e["path"] for e in entries[1:]],
            "output_dir": str(self._folder / way), "store": str(self._folder / "responses.sqlite"), **augft,
        }  # fmt: skip
        recipe = Recipe.from_cfg({
            "base_model": str(self._student), "sequence_len": 256, "datasets": entries, "seed": self._seed,
            "output_dir": str(self._folder / "model"), "augft": block,
        })  # fmt: skip
        texts = _texts(recipe, run_stage(recipe))
        with prepared(recipe) as ready:
            return Asked(_use(ready), texts, self._found(ready, ready.probed()))

    def _entry(self, name: str, documents: Sequence[str]) -> dict[str, Any]:
        path = self._folder / f"{name}.jsonl"
        write_documents(documents, path)
        return documents_entry(path)

    def _found(self, ready: Prepared, record: ProbeRecord | None) -> Found | None:
        if ready.probe is None or record is None:
            return None
        known, taught_about = {place.row for place in ready.probe.known.documents}, self._world.known_documents
        return Found(
            questions=record.questions,
            right=record.right,
            known=len(known),
            known_rightly=len(known & taught_about),
            taught=len(taught_about),
            left_out=record.left_out.total,
        )

    def before(self) -> CellResult:
        """Score the student as it is."""
        return self._cell("pretrained", Student(self._student))

    def trained(self, asked: Asked | None = None) -> CellResult:
        """Train the student on all documents and on what the teacher wrote, and score it."""
        documents = self._world.data.documents
        texts = asked.texts if asked else ()
        start = time.monotonic()
        student = train(
            self._student, [Lesson("", text) for text in (*documents, *texts)], STEPS, self._rate, self._seed
        )
        seconds = round(time.monotonic() - start, 1)
        use = TrainingUse(STEPS, BATCH, len(documents), len(texts), None, seconds)
        cell = self._cell("aug-local" if asked else "ft", student)
        return replace(cell, training=use, teacher=asked.use if asked else None)

    def _cell(self, condition: Condition, student: Student) -> CellResult:
        scores = student.scores(self._world.data.questions)
        # Each seed has its own documents and wrong choices, so its questions are compared with its own alone.
        own = tuple(replace(score, question=f"{self._seed}-{score.question}") for score in scores)
        return CellResult(condition, self._seed, "none", "done", "", own)


def _texts(recipe: Recipe, result: Manifest) -> tuple[str, ...]:
    """Read the rows of a result that are trained on beside the documents."""
    files = [entry.augmented.name for entry in result.entries if entry.augmented]
    files += [result.replay.file.name] if result.replay else []
    folder = result_folder(recipe, result.fingerprint)
    return tuple(text for file in files for text in pq.read_table(folder / file).column("text").to_pylist())


def _use(ready: Prepared) -> TeacherUse:
    """Count what the teacher was asked."""
    answers = [answer for answer in ready.store.get(list(ready.requests())) if answer is not None]
    read = sum(answer.prompt_tokens or 0 for answer in answers)
    return TeacherUse(ready.teacher.id, len(answers), read, sum(a.completion_tokens or 0 for a in answers), None)
