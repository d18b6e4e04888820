"""Judged statements -> the requests that verify them; the stored answers -> statements with probabilities, kept or not.

Everything is a pure function of the statements and the stored answers, so it can be computed again at any time.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, groupby

from axolotl_augft.batched import batched
from axolotl_augft.config.verify import VerifyConfig
from axolotl_augft.judging.rules import Judged, Reason
from axolotl_augft.store.responses import StoredAnswers
from axolotl_augft.teacher.request import Request
from axolotl_augft.teacher.teacher import Teacher
from axolotl_augft.verifying.contradictions import Contradictions
from axolotl_augft.verifying.inquiry import Claim, Inquiry
from axolotl_augft.verifying.planted import PlantedSample
from axolotl_augft.verifying.records import Calibration
from axolotl_augft.verifying.threshold import calibrate

JudgedAgain = Callable[[], Iterable[Judged]]
"""Judges the stored answers; called once for each pass over the statements."""

_WINDOW = 4096
"""Statements whose requests are sorted by prefix before they are sent."""
_UNDERSTOOD = 0.5


class Verifier:
    """Asks a model whether statements follow from their sources, and whether they can be understood without them.

    Attributes:
        model: The model that is asked: the teacher, or another one.
        inquiry: How it is asked.

    Args:
        config: The `verify:` block.
        model: The model to ask.
        store: The response store that holds its answers.
        language: ISO 639 code of the documents' language.
    """

    def __init__(self, config: VerifyConfig, model: Teacher, store: StoredAnswers, language: str) -> None:
        self._config = config
        self._language = language
        self.model = model
        self.inquiry = Inquiry(config, model, store, language)

    def requests(self, judged: JudgedAgain) -> Iterator[Request]:
        """Yield the requests for all statements that are not rejected yet.

        Within a window, requests with the same prefix stand together.
        """
        for window in batched(judged(), _WINDOW):
            asked = [j for j in window if is_asked(j)]
            follow = self.inquiry.requests(claim for j in asked for claim in _claims(j))
            alone = self.inquiry.requests_alone(j.inference.full_text for j in asked if _stands_alone(j))
            yield from sorted(chain(follow, alone), key=lambda r: r.prefix.digest)

    def planted_requests(self, judged: JudgedAgain) -> Iterator[Request]:
        """Yield the requests about planted slips, and about the true sentences that they are compared with."""
        return self.inquiry.requests(self.planted(judged).claims())

    def planted(self, judged: JudgedAgain) -> PlantedSample:
        """Draw sentences that statements are about."""
        planted = PlantedSample(self._language)
        for j in judged():
            if is_asked(j):
                planted.add(j.task)
        return planted

    def contradictions(self, judged: JudgedAgain) -> Contradictions | None:
        """Return what finds contradictions between statements; None if they are not looked for.

        Args:
            judged: Judges the answers whose documents slips are planted in.
        """
        if not self._config.contradictions:
            return None
        return Contradictions(self.inquiry, lambda: self.planted(judged), self._language)

    def calibrations(self, scored: Iterable[Judged]) -> dict[str, Calibration]:
        """Find the threshold for the statements of each strategy, by name, even if it has none to judge by.

        Args:
            scored: All statements, as `scored` yields them.
        """
        planted = PlantedSample(self._language)
        scores: dict[str, array[float]] = {}
        for j in scored:
            own = scores.setdefault(j.task.strategy, array("d"))
            if is_asked(j):
                planted.add(j.task)
                if j.probability is not None:
                    own.append(j.probability)
        return {name: self._calibrated(name, own, planted) for name, own in scores.items()}

    def scored(self, judged: Iterable[Judged]) -> Iterator[Judged]:
        """Yield all statements in order, those that were asked about with their probabilities."""
        for window in batched(judged):
            asked = [j for j in window if is_asked(j)]
            follow = iter(self.inquiry.probabilities(claim for j in asked for claim in _claims(j)))
            standing = [j.inference.full_text for j in asked if _stands_alone(j)]
            alone = iter(self.inquiry.probabilities_alone(standing))
            for j in window:
                if not is_asked(j):
                    yield j
                    continue
                least = _least([next(follow) for _ in _claims(j)])
                yield replace(j, probability=least, alone=next(alone) if _stands_alone(j) else None)

    def decided(self, scored: Iterable[Judged], calibrations: Mapping[str, Calibration]) -> Iterator[Judged]:
        """Yield all statements in order, rejecting those that fail.

        A trace is kept if all conclusions of its answer pass; if some fail, only the good conclusions are kept.

        Args:
            scored: The statements, as `scored` yields them.
            calibrations: The calibration of each strategy.
        """
        for _, of_answer in groupby(scored, key=lambda j: id(j.task)):
            own = list(of_answer)
            decided = [self._decide(j, calibrations) if is_asked(j) else j for j in own]
            about_traces = _reason_for_traces(own, decided)
            for j in decided:
                yield replace(j, rejected=about_traces) if _is_open_trace(j) else j

    def _decide(self, judged: Judged, calibrations: Mapping[str, Calibration]) -> Judged:
        if judged.probability is None:
            return replace(judged, rejected=Reason.UNVERIFIED)
        if judged.probability < calibrations[judged.task.strategy].threshold:
            return replace(judged, rejected=Reason.UNSUPPORTED)
        if judged.alone is not None and judged.alone < _UNDERSTOOD:
            return replace(judged, rejected=Reason.NOT_ALONE)
        return judged

    def _calibrated(self, strategy: str, statements: Sequence[float], planted: PlantedSample) -> Calibration:
        slips = [own for of_sentence in planted.slips(strategy) if (own := self._told(of_sentence))]
        sentences = self._told(planted.sentences(strategy))
        return calibrate(
            strategy, statements, slips, sentences, self._config.asked_for_precision, self._config.threshold
        )

    def _told(self, claims: Sequence[Claim]) -> list[float]:
        return [probability for probability in self.inquiry.probabilities(claims) if probability is not None]


def _claims(judged: Judged) -> list[Claim]:
    return [Claim(evidence, judged.inference.stated) for evidence in judged.evidence]


def _least(probabilities: Sequence[float | None]) -> float | None:
    """Return the least of the probabilities by different evidence, None if one of them is not known."""
    known = [probability for probability in probabilities if probability is not None]
    return min(known) if len(known) == len(probabilities) else None


def is_asked(judged: Judged) -> bool:
    """Whether a verifier is asked about an inference: a model wrote it, and it is not rejected yet.

    About a trace that ends in conclusions it is not asked, because it is asked about these.
    """
    return judged.rejected is None and judged.task.is_asked and not _rests_on_conclusions(judged)


def _stands_alone(judged: Judged) -> bool:
    """Whether an inference is read without others: it is no sentence of a longer text."""
    return judged.inference.line is None


def _rests_on_conclusions(judged: Judged) -> bool:
    return judged.inference.kind == "trace" and judged.task.reading.keep != "trace"


def _is_open_trace(judged: Judged) -> bool:
    return judged.rejected is None and _rests_on_conclusions(judged)


def _reason_for_traces(scored: Sequence[Judged], decided: Sequence[Judged]) -> Reason | None:
    """Return why the traces of an answer are rejected, None if all of its conclusions passed."""
    failed = next((d.rejected for s, d in zip(scored, decided, strict=True) if is_asked(s) and d.rejected), None)
    return failed or (None if any(is_asked(s) for s in scored) else Reason.UNVERIFIED)
