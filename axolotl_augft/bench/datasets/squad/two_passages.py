"""Passages that are trained on -> questions that need two of them.

Comparisons of dates need no model and are right by construction (`comparisons`). A teacher proposes further questions
(`proposals`) and is then asked them with both passages, with each alone and with none (`trying`).
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

from axolotl_augft.bench.datasets.dataset import Question
from axolotl_augft.bench.datasets.squad.choices import TOO_FEW, normal, wrong_answers
from axolotl_augft.bench.datasets.squad.comparisons import comparisons
from axolotl_augft.bench.datasets.squad.passages import Combined, Passage
from axolotl_augft.bench.datasets.squad.proposals import Pair, Proposal, Unfit, proposal_prompt, read_proposal
from axolotl_augft.bench.datasets.squad.questions import NAME, with_choices
from axolotl_augft.bench.datasets.squad.trying import tried
from axolotl_augft.bench.served.asking import Ask

SPLIT = "two passages"


@dataclass(frozen=True, slots=True)
class TwoPassagesWanted:
    """Which questions that need two passages to make.

    Attributes:
        ask: Asks a teacher, which proposes and tries questions; None for those that need no model.
        proposals: Proposals wanted for each pair of passages of an article.
    """

    ask: Ask | None = None
    proposals: int = 1


@dataclass(frozen=True)
class Proposed:
    """What became of the teacher's proposals.

    Attributes:
        proposals: Their number.
        kept: How many became questions.
        dropped: Number of the others, by reason.
    """

    proposals: int
    kept: int
    dropped: dict[str, int]


@dataclass(frozen=True)
class TwoPassages:
    """Questions that need two passages.

    Attributes:
        questions: The questions.
        compared: How many compare dates.
        proposed: What became of a teacher's proposals; None if none was asked.
    """

    questions: tuple[Question, ...]
    compared: int
    proposed: Proposed | None

    @property
    def settings(self) -> dict[str, Any]:
        """The counts as plain values."""
        return {"compared": self.compared, **(asdict(self.proposed) if self.proposed else {})}


def two_passages_of(passages: Sequence[Passage], rng: random.Random, wanted: TwoPassagesWanted) -> TwoPassages:
    """Make the questions.

    Args:
        passages: The passages that are trained on.
        rng: Draws pairs, wrong answers and places.
        wanted: Which questions to make.

    Raises:
        AugftError: The teacher cannot be asked.
    """
    articles = _articles(passages)
    found = list(_compared(articles, rng))
    compared, proposed = len(found), None
    if wanted.ask:
        dropped: Counter[str] = Counter()
        pairs = [pair for article in articles for pair in article.pairs]
        kept = _proposed(pairs, wanted.ask, wanted.proposals, dropped)
        found += _with_wrong_answers(kept, articles, rng, dropped)
        reasons = dict(sorted(dropped.items(), key=lambda item: (-item[1], item[0])))
        proposed = Proposed(len(pairs) * wanted.proposals, len(found) - compared, reasons)
    return TwoPassages(tuple(_question(c, n, rng) for n, c in enumerate(found, 1)), compared, proposed)


@dataclass(frozen=True)
class _Article:
    """The passages of one article, and their indices among all that are trained on."""

    passages: tuple[Passage, ...]
    places: tuple[int, ...]

    @property
    def pairs(self) -> Iterator[Pair]:
        """Each passage with each other."""
        for (i, a), (j, b) in combinations(zip(self.places, self.passages, strict=True), 2):
            yield Pair((a.text, b.text), (i, j))


def _articles(passages: Sequence[Passage]) -> list[_Article]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for place, passage in enumerate(passages):
        found[passage.title].append(place)
    return [_Article(tuple(passages[i] for i in places), tuple(places)) for places in found.values()]


def _compared(articles: Iterable[_Article], rng: random.Random) -> Iterator[Combined]:
    for article in articles:
        for combined in comparisons(article.passages, rng):
            first, second = combined.places
            yield replace(combined, places=(article.places[first], article.places[second]))


def _proposed(pairs: Sequence[Pair], ask: Ask, proposals: int, dropped: Counter[str]) -> Iterator[Proposal]:
    """Have the teacher propose questions and try them; of one pair, one question with the same answer is kept."""
    wanted = [(pair, sample) for pair in pairs for sample in range(proposals)]
    answers = ask([proposal_prompt(pair, sample) for pair, sample in wanted], "proposing questions")
    fit: dict[str, Proposal] = {}
    for (pair, _), answer in zip(wanted, answers, strict=True):
        read = read_proposal(answer, pair)
        if isinstance(read, Proposal) and normal(read.asked.question) in fit:
            read = Unfit.DUPLICATE
        if isinstance(read, Unfit):
            dropped[str(read)] += 1
        else:
            fit[normal(read.asked.question)] = read
    told: set[tuple[Pair, str]] = set()
    for attempt in tried(fit.values(), ask):
        key = attempt.proposal.pair, normal(attempt.proposal.asked.answer)
        if reason := attempt.dropped or (Unfit.DUPLICATE if key in told else None):
            dropped[str(reason)] += 1
        else:
            told.add(key)
            yield attempt.proposal


def _with_wrong_answers(
    proposals: Iterable[Proposal], articles: Iterable[_Article], rng: random.Random, dropped: Counter[str]
) -> Iterator[Combined]:
    article_of = {place: article for article in articles for place in article.places}
    for proposal in proposals:
        places = proposal.pair.places
        if wrong := wrong_answers(proposal.asked, article_of[places[0]].passages, rng):
            yield Combined(proposal.asked, wrong, places)
        else:
            dropped[TOO_FEW] += 1


def _question(combined: Combined, number: int, rng: random.Random) -> Question:
    first, second = combined.places
    name, subset = f"{NAME}-two-{number:04}", f"passages {first} and {second}"
    return with_choices(combined.asked, combined.wrong, name, SPLIT, subset, rng)
