"""Judged statements -> the requests that verify them; the stored answers -> statements with probabilities, kept or not.

Everything is a pure function of the statements and the stored answers, so it can be computed again at any time.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import groupby

from axolotl_augft.batched import batched
from axolotl_augft.config.verify import VerifyConfig
from axolotl_augft.judging.rules import Judged, Reason
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.teacher.request import Request
from axolotl_augft.teacher.teacher import Teacher
from axolotl_augft.verifying.planted import PlantedSample, Sentence
from axolotl_augft.verifying.polls import LogProbabilities, Poll, Votes
from axolotl_augft.verifying.questions import EntailmentPairs, Question, Questions
from axolotl_augft.verifying.records import Calibration
from axolotl_augft.verifying.threshold import calibrate

JudgedAgain = Callable[[], Iterable[Judged]]
"""Judges the stored answers; called once for each pass over the statements."""

_WINDOW = 4096
"""Statements whose requests are sorted by prefix before they are sent."""
_UNDERSTOOD = 0.5
_PROBE = ("Tin is a metal. All metals conduct heat.", "Tin is a metal.")


class Verifier:
    """Asks a model whether statements follow from their sources, and whether they can be understood without them.

    Args:
        config: The `verify:` block.
        model: The model to ask: the teacher, or another one.
        store: The response store that holds its answers.
        language: ISO 639 code of the documents' language.
    """

    def __init__(self, config: VerifyConfig, model: Teacher, store: ResponseStore, language: str) -> None:
        self._config = config
        self.model = model
        self._store = store
        self._language = language
        self._words = Questions(model.api)
        self._pairs = EntailmentPairs() if config.method == "entailment" else None
        self._asks_alone = config.alone and self._pairs is None

    def probe(self) -> list[Request]:
        """Return the request that finds out whether the server gives log-probabilities; none if `method` is set."""
        if self._config.method != "auto":
            return []
        return LogProbabilities(self.model).requests(self._words.follows((_PROBE[0],), _PROBE[1]))

    @property
    def is_ready(self) -> bool:
        """Whether the store tells how the model is asked: it holds the answer to `probe`, if there is one."""
        return None not in self._store.get(self.probe())

    def requests(self, judged: JudgedAgain) -> Iterator[Request]:
        """Yield the requests for all statements that are not rejected yet.

        Within a window, requests with the same prefix stand together.
        """
        for window in batched(judged(), _WINDOW):
            asked = [j for j in window if is_asked(j)]
            requests = [r for j in asked for q in self._questions_about(j) for r in self._poll.requests(q)]
            yield from sorted(requests, key=lambda r: r.prefix.digest)

    def planted_requests(self, judged: JudgedAgain) -> Iterator[Request]:
        """Yield the requests about planted slips, and about the true sentences that they are compared with."""
        planted = PlantedSample(self._language)
        for j in judged():
            if is_asked(j):
                planted.add(j.task)
        for sentence in planted.all():
            yield from self._poll.requests(self._follows(sentence.evidence, sentence.text))

    def calibrations(self, judged: JudgedAgain) -> dict[str, Calibration]:
        """Find the threshold for the statements of each strategy, by name."""
        planted = PlantedSample(self._language)
        scores: dict[str, array[float]] = {}
        for j in self.scored(judged()):
            if is_asked(j):
                planted.add(j.task)
                if j.probability is not None:
                    scores.setdefault(j.task.strategy, array("d")).append(j.probability)
        return {name: self._calibrated(name, own, planted) for name, own in scores.items()}

    def scored(self, judged: Iterable[Judged]) -> Iterator[Judged]:
        """Yield all statements in order, those that were asked about with their probabilities."""
        for window in batched(judged):
            questions = [q for j in window if is_asked(j) for q in self._questions_about(j)]
            found = iter(self._probabilities(questions))
            for j in window:
                if not is_asked(j):
                    yield j
                    continue
                yield replace(j, probability=next(found), alone=next(found) if self._asks_alone else None)

    def decided(self, judged: Iterable[Judged], calibrations: Mapping[str, Calibration]) -> Iterator[Judged]:
        """Yield all statements in order, rejecting those that fail.

        A trace is kept if all conclusions of its answer pass; if some fail, only the good conclusions are kept.
        """
        for _, of_answer in groupby(self.scored(judged), key=lambda j: id(j.task)):
            scored = list(of_answer)
            decided = [self._decide(j, calibrations) if is_asked(j) else j for j in scored]
            about_traces = _reason_for_traces(scored, decided)
            for j in decided:
                yield replace(j, rejected=about_traces) if _is_open_trace(j) else j

    @cached_property
    def _poll(self) -> Poll:
        asks_for_one_token = LogProbabilities(self.model)
        if self._config.method == "votes":
            return Votes(self.model, self._config.votes)
        if probe := self.probe():
            answer = self._store.get(probe)[0]
            assert answer is not None, "the probe is asked before anything else"
            if not asks_for_one_token.can_be_read(answer):
                return Votes(self.model, self._config.votes)
        return asks_for_one_token

    @property
    def method(self) -> str:
        """How the model is asked: `logprobs`, `votes` or `entailment`."""
        if self._pairs:
            return "entailment"
        return "votes" if isinstance(self._poll, Votes) else "logprobs"

    def _questions_about(self, judged: Judged) -> list[Question]:
        """Return the questions about a statement: whether it follows and, if asked for, whether it stands alone."""
        statement = judged.inference.full_text
        asked = [self._follows(judged.evidence, statement)]
        return [*asked, self._words.alone(statement)] if self._asks_alone else asked

    def _follows(self, evidence: Sequence[str], statement: str) -> Question:
        return (self._pairs or self._words).follows(evidence, statement)

    def _probabilities(self, questions: Sequence[Question]) -> list[float | None]:
        """Return the probability of yes for each question, None where the answers do not tell."""
        polled = [self._poll.requests(question) for question in questions]
        answers = iter(self._store.get([request for requests in polled for request in requests]))
        return [self._poll.probability([next(answers) for _ in requests]) for requests in polled]

    def _decide(self, judged: Judged, calibrations: Mapping[str, Calibration]) -> Judged:
        if judged.probability is None:
            return replace(judged, rejected=Reason.UNVERIFIED)
        if judged.probability < calibrations[judged.task.strategy].threshold:
            return replace(judged, rejected=Reason.UNSUPPORTED)
        if judged.alone is not None and judged.alone < _UNDERSTOOD:
            return replace(judged, rejected=Reason.NOT_ALONE)
        return judged

    def _calibrated(self, strategy: str, statements: Sequence[float], planted: PlantedSample) -> Calibration:
        slips = [own for s in planted.slips(strategy) if (own := self._known_probabilities(s))]
        sentences = self._known_probabilities(planted.sentences(strategy))
        return calibrate(
            strategy, statements, slips, sentences, self._config.asked_for_precision, self._config.threshold
        )

    def _known_probabilities(self, sentences: Sequence[Sentence]) -> list[float]:
        found = self._probabilities([self._follows(s.evidence, s.text) for s in sentences])
        return [probability for probability in found if probability is not None]


def is_asked(judged: Judged) -> bool:
    """Whether a verifier is asked about an inference: it is not rejected yet, and no trace that ends in conclusions."""
    return judged.rejected is None and (judged.inference.kind != "trace" or judged.task.reading.keep == "trace")


def _is_open_trace(judged: Judged) -> bool:
    return judged.rejected is None and not is_asked(judged)


def _reason_for_traces(scored: Sequence[Judged], decided: Sequence[Judged]) -> Reason | None:
    """Return why the traces of an answer are rejected, None if all of its conclusions passed."""
    failed = next((d.rejected for s, d in zip(scored, decided, strict=True) if is_asked(s) and d.rejected), None)
    return failed or (None if any(is_asked(s) for s in scored) else Reason.UNVERIFIED)
