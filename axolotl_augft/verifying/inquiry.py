"""Claims -> the requests that ask a model about them; the stored answers -> the probability of each claim."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from axolotl_augft.config.verify import VerifyConfig
from axolotl_augft.store.responses import StoredAnswers
from axolotl_augft.teacher.request import Request
from axolotl_augft.teacher.teacher import Teacher
from axolotl_augft.text.pronouns import opens_with_pronoun
from axolotl_augft.verifying.polls import LogProbabilities, Poll, Votes
from axolotl_augft.verifying.questions import EntailmentPairs, Question, Questions
from axolotl_augft.verifying.slips import names_exchanged

_PROBE = ("Tin is a metal. All metals conduct heat.", "Tin is a metal.")


@dataclass(frozen=True, slots=True)
class Claim:
    """A text, and the texts that it must follow from."""

    evidence: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sentences that are asked about together."""

    first: str
    second: str


class Inquiry:
    """Asks one model about claims.

    Whether a claim follows is asked about the claim itself and, if it has two names, about the claim with its names
    exchanged: a model that believes that more has roles or a comparison the other way round.

    Args:
        config: The `verify:` block.
        model: The model to ask: the teacher, or another one.
        store: The response store that holds its answers.
        language: ISO 639 code of the claims' language.
    """

    def __init__(self, config: VerifyConfig, model: Teacher, store: StoredAnswers, language: str) -> None:
        self._config = config
        self._model = model
        self._store = store
        self._language = language
        self._words = Questions(model.api)
        self._pairs = EntailmentPairs() if config.method == "entailment" else None

    def probe(self) -> list[Request]:
        """Return the request that finds out whether the server gives log-probabilities; none if `method` is set."""
        if self._config.method != "auto":
            return []
        return LogProbabilities(self._model).requests(self._words.follows((_PROBE[0],), _PROBE[1]))

    @property
    def is_ready(self) -> bool:
        """Whether the store tells how the model is asked: it holds the answer to `probe`, if there is one."""
        return None not in self._store.get(self.probe())

    @property
    def method(self) -> str:
        """How the model is asked: `logprobs`, `votes` or `entailment`."""
        if self._pairs:
            return "entailment"
        return "votes" if isinstance(self._poll, Votes) else "logprobs"

    @property
    def remark(self) -> str:
        """What a user should know of how the model is asked, "" if nothing."""
        if self._config.method != "auto" or self.method != "votes":
            return ""
        return (
            f"{self._model.id} gives no log-probabilities of yes and no, so it is asked {self._config.votes} times a "
            "question"
        )

    @property
    def asks_alone(self) -> bool:
        """Whether claims are also asked about without their evidence."""
        return self._config.alone and self._pairs is None

    def requests(self, claims: Iterable[Claim]) -> Iterator[Request]:
        """Yield the requests that ask whether claims follow."""
        for question in (q for claim in claims for q in self._about(claim) if q):
            yield from self._poll.requests(question)

    def requests_alone(self, texts: Iterable[str]) -> Iterator[Request]:
        """Yield the requests that ask whether texts can be understood alone; none if that is not asked."""
        for text in texts if self.asks_alone else ():
            if not opens_with_pronoun(text, self._language):
                yield from self._poll.requests(self._words.alone(text))

    def requests_together(self, pairs: Iterable[Pair]) -> Iterator[Request]:
        """Yield the requests that ask whether both sentences of pairs can be true."""
        for pair in pairs:
            yield from self._poll.requests(self._words.compatible(pair.first, pair.second))

    def probabilities(self, claims: Iterable[Claim]) -> list[float | None]:
        """Return the probability of each claim, None where the answers do not tell."""
        questions = [self._about(claim) for claim in claims]
        found = iter(self._answered([q for asked in questions for q in asked if q]))
        return [_contrasted(*(next(found) if q else None for q in asked)) for asked in questions]

    def probabilities_alone(self, texts: Sequence[str]) -> list[float | None]:
        """Return the probability that each text can be understood alone, None where that is not asked or not told."""
        if not self.asks_alone:
            return [None] * len(texts)
        leaning = [opens_with_pronoun(text, self._language) for text in texts]
        asked = [self._words.alone(text) for text, leans in zip(texts, leaning, strict=True) if not leans]
        found = iter(self._answered(asked))
        return [0.0 if leans else next(found) for leans in leaning]

    def contradictions(self, pairs: Iterable[Pair]) -> list[float | None]:
        """Return the probability that each pair cannot both be true, None where the answers do not tell."""
        together = self._answered([self._words.compatible(pair.first, pair.second) for pair in pairs])
        return [None if probability is None else 1 - probability for probability in together]

    @cached_property
    def _poll(self) -> Poll:
        asks_for_one_token = LogProbabilities(self._model)
        if self._config.method == "votes":
            return Votes(self._model, self._config.votes)
        if probe := self.probe():
            answer = self._store.get(probe)[0]
            assert answer is not None, "the probe is asked before anything else"
            if not asks_for_one_token.can_be_read(answer):
                return Votes(self._model, self._config.votes)
        return asks_for_one_token

    def _about(self, claim: Claim) -> tuple[Question, Question | None]:
        """Return the question about a claim, and the one about the claim with its names exchanged."""
        ask = (self._pairs or self._words).follows
        exchanged = names_exchanged(claim.text)
        return ask(claim.evidence, claim.text), ask(claim.evidence, exchanged) if exchanged else None

    def _answered(self, questions: Sequence[Question]) -> list[float | None]:
        polled = [self._poll.requests(question) for question in questions]
        answers = iter(self._store.get([request for requests in polled for request in requests]))
        return [self._poll.probability([next(answers) for _ in requests]) for requests in polled]


def _contrasted(claim: float | None, exchanged: float | None) -> float | None:
    """Return the probability of a claim; 0 if the claim with its names exchanged is believed more."""
    believes_other = claim is not None and exchanged is not None and exchanged > claim
    return 0.0 if believes_other else claim
