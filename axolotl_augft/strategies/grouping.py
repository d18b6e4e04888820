"""Documents -> context groups: related documents together, within a token budget.

The documents of a group are the prefix of all its requests, so a changed group means new requests for every document
in it. Groupings are therefore kept between runs: `regroup` keeps every group whose documents are unchanged, and after
an edit of one document in a thousand, only the requests of its own group are sent again.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from axolotl_augft.sources.documents import Document
from axolotl_augft.store.responses import Pass
from axolotl_augft.text.bm25 import Bm25

_WORD = re.compile(r"\w+")
_NEIGHBOURS = 32
_BATCH = 256
# Fresh groups are filled to this share only, so that a document that grows in an edit still fits into its old group.
_FILL = 0.95


@dataclass(frozen=True)
class Sized:
    """A document and its size in tokens, including its label in the prompt."""

    document: Document
    tokens: int


def regroup(sized: Sequence[Sized], budget: int, passes: int, remembered: Sequence[Pass]) -> list[Pass]:
    """Group documents for each pass; every document is in exactly one group of each pass.

    Args:
        sized: The documents in source order, none above `budget` tokens.
        budget: Most tokens of documents in one group.
        passes: Number of groupings. Later passes bring together related documents that have not shared a group yet.
        remembered: The passes of an earlier run, possibly over other documents.

    Returns:
        For each pass, its groups as document ids.
    """
    by_id = {s.document.id: s for s in sized}
    neighbours = cache(lambda: neighbours_of([s.document for s in sized]))
    done: list[Pass] = []
    for i in range(passes):
        kept = _kept(remembered[i] if i < len(remembered) else (), by_id, budget)
        met = [{d: number for number, group in enumerate(p) for d in group} for p in done]
        done.append(_complete(kept, by_id, neighbours, budget, met))
    return done


def _kept(groups: Pass, by_id: Mapping[str, Sized], budget: int) -> list[list[str]]:
    """Drop from the remembered groups the documents that are gone or no longer fit."""
    kept = []
    for group in groups:
        room, members = budget, []
        for d in group:
            if d in by_id and by_id[d].tokens <= room:
                members.append(d)
                room -= by_id[d].tokens
        if members:
            kept.append(members)
    return kept


def _complete(
    groups: list[list[str]],
    by_id: Mapping[str, Sized],
    find_neighbours: Callable[[], Mapping[str, Mapping[str, float]]],
    budget: int,
    met: Sequence[Mapping[str, int]],
) -> Pass:
    """Put documents without a group into existing groups that have room, and the rest into fresh groups."""
    home = {d: i for i, group in enumerate(groups) for d in group}
    if len(home) == len(by_id):
        return tuple(tuple(group) for group in groups)
    neighbours = find_neighbours()
    room = [budget - sum(by_id[d].tokens for d in group) for group in groups]
    left = []
    for d, sized in by_id.items():
        if d in home:
            continue
        pull: dict[int, float] = {}
        for other, score in neighbours[d].items():
            if other in home:
                pull[home[other]] = pull.get(home[other], 0.0) + score
        fitting = [g for g in pull if room[g] >= sized.tokens] or [
            g for g in range(len(groups)) if room[g] >= sized.tokens
        ]
        if not fitting:
            left.append(d)
            continue
        best = max(fitting, key=lambda g: (pull.get(g, 0.0), -g))
        groups[best].append(d)
        room[best] -= sized.tokens
        home[d] = best
    fresh = _fresh_groups(left, by_id, neighbours, int(budget * _FILL), met)
    return tuple(tuple(group) for group in [*groups, *fresh])


def _fresh_groups(
    ids: Sequence[str],
    by_id: Mapping[str, Sized],
    neighbours: Mapping[str, Mapping[str, float]],
    budget: int,
    met: Sequence[Mapping[str, int]],
) -> list[list[str]]:
    """Build groups one at a time, adding the document most related to the members until none fits."""
    left = dict.fromkeys(ids)
    groups: list[list[str]] = []
    while left:
        group: list[str] = []
        pull: dict[str, float] = {}
        room = budget
        while (chosen := _next_member(left, pull, by_id, room, first=not group)) is not None:
            group.append(chosen)
            del left[chosen]
            pull.pop(chosen, None)
            room -= by_id[chosen].tokens
            for other, score in neighbours[chosen].items():
                if other in left and not any(p.get(other, -1) == p.get(chosen, -2) for p in met):
                    pull[other] = pull.get(other, 0.0) + score
        groups.append(group)
    return groups


def _next_member(
    left: Mapping[str, None], pull: Mapping[str, float], by_id: Mapping[str, Sized], room: int, first: bool
) -> str | None:
    if first:
        return next(iter(left), None)
    fitting = [d for d in pull if by_id[d].tokens <= room]
    if fitting:
        return max(fitting, key=lambda d: pull[d])
    # No related document fits: fill the group with the next documents in order, so that few groups stay small.
    return next((d for d, _ in zip(left, range(_BATCH), strict=False) if by_id[d].tokens <= room), None)


def neighbours_of(documents: Sequence[Document]) -> dict[str, dict[str, float]]:
    """Map each document's id to the ids of its most similar documents, with their BM25 scores."""
    if len(documents) < 2:
        return {d.id: {} for d in documents}
    words = [_WORD.findall(d.text.casefold()) or ["_"] for d in documents]
    index = Bm25(words)
    result: dict[str, dict[str, float]] = {}
    for document, tokens in zip(documents, words, strict=True):
        scores = index.scores(list(dict.fromkeys(tokens)))
        top = np.argsort(-scores, kind="stable")[: _NEIGHBOURS + 1]
        result[document.id] = {
            documents[j].id: float(scores[j]) for j in top if scores[j] > 0 and documents[j].id != document.id
        }
    return result
