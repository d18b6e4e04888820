"""Statements with verdicts by annotators, and a model -> how well the model tells the true ones from the false ones.

Usage: python benchmarks/verdicts.py FOLDER --model NAME --base-url URL [--api chat] [--method auto] [--store FILE]
       [--precision 0.95] [--contradictions] [--json FILE]

FOLDER holds `statements.jsonl`: one JSON object a line, with `set`, `strategy`, `kind`, `source`, `statement`,
`follows` (yes, no, unsaid) and `alone` (yes, no, unsure), and for each set NAME-… the documents in `NAME.jsonl`
(`text`). The statements are verified as the stage would do it, with the same prompts, slips and thresholds. For every
set the table says how many statements are right, the area under the curve, and how many of the kept ones are right and
of the right ones are kept: for the best 60 % and 50 %, for the lowest threshold that the labels allow for a precision
of 0.95, and for the one found without labels. With --contradictions, a second table says how many of the kept ones are
rejected as contradictions, wrong and right ones. Answers stay in the store, so a second run asks nothing.
"""

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from axolotl_augft.asking.budget import Budget
from axolotl_augft.asking.rounds import Rounds
from axolotl_augft.config.teacher import TeacherConfig
from axolotl_augft.config.verify import VerifyConfig
from axolotl_augft.judging.read_statements import Inference
from axolotl_augft.judging.rules import Judged, Reason
from axolotl_augft.sources.documents import Document, document_id
from axolotl_augft.store.lock import AskingLock
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.strategies.task import Task
from axolotl_augft.teacher.request import Prefix, Request, Sampling
from axolotl_augft.teacher.serving.session import TeacherSession
from axolotl_augft.teacher.teacher import Teacher, resolve_teacher, settled
from axolotl_augft.text.sentences import split_sentences
from axolotl_augft.verifying.records import Calibration, ContradictionRecord
from axolotl_augft.verifying.threshold import area_under_curve
from axolotl_augft.verifying.verifier import Verifier

_NO_REQUEST = Request("", "chat", Prefix("", ""), "", Sampling(0, None, 1, (), 0), 0)


@dataclass(frozen=True)
class Labelled:
    """A statement with the annotators' verdicts.

    Attributes:
        set: Name of the set.
        judged: The statement.
        follows: It must be true if its premises are.
        alone: It can be understood without them.
    """

    set: str
    judged: Judged
    follows: bool
    alone: bool


@dataclass(frozen=True)
class Cut:
    """What is kept above some probability.

    Attributes:
        kept: Share of the statements that are kept.
        right: Share of the kept ones that are right.
        of_right: Share of the right ones that are kept.
    """

    kept: float
    right: float
    of_right: float


@dataclass(frozen=True)
class Contradicted:
    """What contradictions take away from the statements that verification keeps.

    Attributes:
        wrong: Number of wrong statements.
        wrong_gone: Number of those that are rejected.
        right: Number of right statements.
        right_gone: Number of those that are rejected.
        record: How contradictions were found.
    """

    wrong: int
    wrong_gone: int
    right: int
    right_gone: int
    record: ContradictionRecord


def main() -> None:
    """Verify the statements and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--api", choices=["chat", "completions"], default="chat")
    parser.add_argument("--method", default="auto")
    parser.add_argument("--precision", type=float, default=VerifyConfig.DEFAULT_PRECISION)
    parser.add_argument("--strategy", help="only the statements of this strategy")
    parser.add_argument("--contradictions", action="store_true")
    parser.add_argument("--set", help="only the sets whose name begins so")
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--store", type=Path, default=Path("build/verdicts.sqlite"))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    config = TeacherConfig(model=given.model, base_url=given.base_url, api=given.api, max_concurrency=given.concurrency)
    verify = VerifyConfig(method=given.method, precision=given.precision, contradictions=given.contradictions)
    given.store.parent.mkdir(parents=True, exist_ok=True)
    with ResponseStore.opened(given.store) as store:
        model = settled(resolve_teacher(config, "", 42, []), store)
        verifier = Verifier(verify, model, store, "en")
        results = [
            _measured(name, own, verifier, model, store)
            for name, own in _sets(_labelled(given.folder)).items()
            if given.strategy in (None, own[0].judged.task.strategy) and name.startswith(given.set or "")
        ]
    for line in (*_table(results), *(_contradiction_table(results) if given.contradictions else ())):
        print(line)
    if given.json:
        given.json.write_text(json.dumps(results, indent=1, default=asdict) + "\n")


def _labelled(folder: Path) -> Iterator[Labelled]:
    documents = {
        f.stem: [json.loads(line)["text"] for line in f.open()]
        for f in folder.glob("*.jsonl")
        if f.stem != "statements"
    }
    for line in (folder / "statements.jsonl").open():
        row = json.loads(line)
        local = row["strategy"] == "local"
        premises = (row["source"],) if local else tuple(documents[row["set"].partition("-")[0]])
        sentences = tuple(split_sentences(row["source"]))
        target = Document(document_id(row["source"]), row["source"], 0, row["row"])
        task = Task(_NO_REQUEST, row["strategy"], target, premises, sentences=sentences if local else ())
        judged = Judged(task, Inference(row["statement"], row["kind"]), None)
        yield Labelled(f"{row['set']}, {row['strategy']}", judged, row["follows"] == "yes", row["alone"] == "yes")


def _sets(labelled: Iterable[Labelled]) -> dict[str, list[Labelled]]:
    sets: dict[str, list[Labelled]] = {}
    for one in labelled:
        sets.setdefault(one.set, []).append(one)
    return dict(sorted(sets.items()))


def _measured(
    name: str, labelled: Sequence[Labelled], verifier: Verifier, model: Teacher, store: ResponseStore
) -> dict[str, Any]:
    statements = [one.judged for one in labelled]
    with AskingLock(store.path, model.id, 60) as lock, TeacherSession(model, Path("build/verdicts.log")) as session:
        rounds = Rounds(model, store, session, Budget.unlimited(), 0, lock)
        rounds.ask(verifier.inquiry.probe, "probe", trusted=True)
        rounds.ask(lambda: verifier.requests(lambda: statements), name)
        rounds.ask(lambda: verifier.planted_requests(lambda: statements), f"{name}: slips")
        calibration = next(iter(verifier.calibrations(verifier.scored(statements)).values()))
        contradicted = _contradicted(labelled, verifier, calibration, rounds)
    scored = list(verifier.scored(statements))
    right = np.array([one.follows for one in labelled])
    both = np.array([one.follows and one.alone for one in labelled])
    alone = np.array([one.alone for one in labelled])
    probability = np.array([j.probability if j.probability is not None else 0.0 for j in scored])
    understood = np.array([j.alone if j.alone is not None else 0.0 for j in scored])
    kept = (probability >= calibration.threshold) & (understood >= 0.5)
    return {
        "set": name,
        "statements": len(labelled),
        "right": float(right.mean()),
        "auc": area_under_curve(probability[right], probability[~right]),
        "auc_alone": area_under_curve(understood[alone], understood[~alone]),
        "best_60": _cut(right, probability >= np.quantile(probability, 0.4)),
        "best_50": _cut(right, probability >= np.quantile(probability, 0.5)),
        "at_precision": _best_cut(right, probability, calibration_goal := 0.95),
        "goal": calibration_goal,
        "found": _cut(right, probability >= calibration.threshold),
        "found_both": _cut(both, kept),
        "calibration": calibration,
        "contradicted": contradicted,
    }


def _contradicted(
    labelled: Sequence[Labelled], verifier: Verifier, calibration: Calibration, rounds: Rounds
) -> Contradicted | None:
    """Look for contradictions between the statements that verification keeps; None if they are not looked for."""
    statements = [one.judged for one in labelled]
    contradictions = verifier.contradictions(lambda: statements)
    if contradictions is None:
        return None
    verified = list(verifier.decided(verifier.scored(statements), {calibration.strategy: calibration}))
    rounds.ask(lambda: contradictions.requests(verified), "contradictions")
    record = contradictions.record()
    gone = [j.rejected is Reason.CONTRADICTED for j in contradictions.decided(verified, record)]
    kept = np.array([j.rejected is None for j in verified])
    right = np.array([one.follows for one in labelled])
    wrong_gone, right_gone = (int(np.sum(np.array(gone) & which)) for which in (~right, right))
    return Contradicted(int(np.sum(kept & ~right)), wrong_gone, int(np.sum(kept & right)), right_gone, record)


def _cut(right: Any, kept: Any) -> Cut:
    return Cut(
        float(kept.mean()),
        float(right[kept].mean()) if kept.any() else 0.0,
        float(kept[right].mean()) if right.any() else 0.0,
    )


def _best_cut(right: Any, probability: Any, precision: float) -> Cut:
    """Return the cut that keeps the most with at least this precision, by the labels."""
    cuts = [_cut(right, probability >= t) for t in np.unique(probability)]
    good = [cut for cut in cuts if cut.right >= precision]
    return max(good, key=lambda cut: cut.kept) if good else Cut(0.0, 0.0, 0.0)


def _table(results: Sequence[dict[str, Any]]) -> Iterator[str]:
    columns = ("set", "n", "right", "AUC", "AUC alone", "best 60 %", "best 50 %", "0.95 by labels", "without labels")
    yield " | ".join((*columns, "that and alone", "estimated"))
    yield "|".join(("---", *["---:"] * (len(columns) + 1)))
    for r in results:
        found: Calibration = r["calibration"]
        estimated = "-" if found.precision is None else f"{found.precision:.2f}"
        cuts = " | ".join(
            f"{r[name].right:.2f}, {r[name].of_right:.2f}"
            for name in ("best_60", "best_50", "at_precision", "found", "found_both")
        )
        aucs = " | ".join("-" if r[k] is None else f"{r[k]:.2f}" for k in ("auc", "auc_alone"))
        yield f"{r['set']} | {r['statements']} | {r['right']:.2f} | {aucs} | {cuts} | {estimated}"


def _contradiction_table(results: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield "set | AUC on planted ones | P(not both true) above | wrong ones rejected | right ones rejected"
    yield "---|---:|---:|---:|---:"
    for r in results:
        found: Contradicted = r["contradicted"]
        record = found.record
        figures = " | ".join("-" if x is None else f"{x:.2f}" for x in (record.auc, record.threshold))
        counts = f"{found.wrong_gone} of {found.wrong} | {found.right_gone} of {found.right}"
        yield f"{r['set']} | {figures} | {counts}"


if __name__ == "__main__":
    main()
