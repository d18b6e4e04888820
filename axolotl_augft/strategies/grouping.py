"""Documents -> context groups: related documents together, within a token budget.

The documents of a group are the prefix of all its requests, so a changed group means new requests for every document
in it. Groupings are therefore kept between runs: `regroup` keeps every group whose documents are unchanged, and after
an edit of one document in a thousand, only the requests of its own group are sent again.

Documents are numbered in source order here; a number takes less memory than an id. Their texts stay on disk, and are
read when the index of their words is made.
"""

import heapq
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice, pairwise

from axolotl_augft.sources.sized_file import SizedFile
from axolotl_augft.store.groupings import Pass
from axolotl_augft.text.neighbours import Nearest, Neighbours

_NEIGHBOURS = 32
_BROUGHT_IN = 4
"""Number of documents that each member of a group proposes as further members: those that it is most related to.

If it proposed all that it is related to, those that most members are related to would come first, and a large group
would hold one subject from many sides instead of what connects several (`bench reach`).
"""
_NEXT = 256
"""Number of following documents of which one may fill a group that no related document fits into."""
# Fresh groups are filled to this share only, so that a document that grows in an edit still fits into its old group.
_FILL = 0.95
_NOWHERE = -1


def regroup(documents: SizedFile, budget: int, passes: int, remembered: Sequence[Pass]) -> list[Pass]:
    """Group documents for each pass; every document is in exactly one group of each pass.

    Args:
        documents: The documents in source order, each with an id of its own, none above `budget` tokens.
        budget: Most tokens of documents in one group.
        passes: Number of groupings. Later passes bring together related documents that have not shared a group yet.
        remembered: The passes of an earlier run, possibly over other documents.

    Returns:
        For each pass, its groups as document ids.
    """
    groupings = [_Grouping(documents.tokens, budget) for _ in range(passes)]
    numbers = {name: i for i, name in enumerate(documents.ids)} if remembered else {}
    assert len(numbers) in (0, len(documents)), "of documents with one id, all but the last would lose their groups"
    for grouping, groups in zip(groupings, remembered, strict=False):
        grouping.keep(groups, numbers)
    homeless = [grouping.homeless() for grouping in groupings]
    pulls = _pulls(documents, homeless[0] if len(homeless) == 1 else array("i", sorted(set().union(*homeless))))
    for i, grouping in enumerate(groupings):
        grouping.complete(pulls, groupings[:i])
    return [tuple(tuple(documents.ids[d] for d in group) for group in g.groups) for g in groupings]


def _pulls(documents: SizedFile, some: "array[int]") -> "_Pulls":
    """Find what some documents are related to; the index of all documents is needed for that only."""
    nearest = Neighbours(d.text for d in documents).nearest(some, _NEIGHBOURS) if some else None
    return _Pulls(some, nearest)


class _Pulls:
    """For some documents, how strongly each is related to others.

    Args:
        documents: The documents, ascending.
        nearest: What they are related to; None if there are no documents.
    """

    def __init__(self, documents: "array[int]", nearest: Nearest | None) -> None:
        self._documents = documents
        self._nearest = nearest

    def of(self, document: int) -> Iterator[tuple[int, float]]:
        """Yield the numbers and scores of the most related documents, most related first."""
        assert self._nearest is not None
        row = bisect_left(self._documents, document)
        numbers = self._nearest.numbers[row].tolist()
        return ((n, score) for n, score in zip(numbers, self._nearest.scores[row].tolist(), strict=True) if n >= 0)


@dataclass
class _Grouping:
    """The groups of one pass.

    Attributes:
        tokens: The size of each document.
        budget: Most tokens of documents in one group.
        groups: The groups, as document numbers.
        home: For each document, the number of its group, or `_NOWHERE`.
        changed: The groups that have lost or gained documents, all of whose requests are new.
    """

    tokens: "array[int]"
    budget: int
    groups: "list[array[int]]" = field(default_factory=list)
    home: "array[int]" = field(default_factory=lambda: array("i"))
    changed: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.home = array("i", [_NOWHERE]) * len(self.tokens)

    def keep(self, groups: Iterable[Sequence[str]], numbers: Mapping[str, int]) -> None:
        """Keep remembered groups, without the documents that are gone or no longer fit."""
        for group in groups:
            room, members = self.budget, array("i")
            for d in (numbers[name] for name in group if name in numbers):
                if self.tokens[d] <= room:
                    members.append(d)
                    room -= self.tokens[d]
            if members:
                if len(members) < len(group):
                    self.changed.add(len(self.groups))
                self._add(members)

    def homeless(self) -> "array[int]":
        """The documents without a group."""
        return array("i", (d for d, home in enumerate(self.home) if home == _NOWHERE))

    def complete(self, pulls: _Pulls, before: Sequence["_Grouping"]) -> None:
        """Put documents without a group into existing groups that have room, and the rest into fresh groups.

        Args:
            pulls: What the documents without a group are related to.
            before: The groupings of the passes before.
        """
        homeless = self.homeless()
        left = self._moved_in(homeless, pulls) if self.groups and homeless else homeless

        def have_met(a: int, b: int) -> bool:
            return any(g.home[a] == g.home[b] for g in before)

        for members in _fresh_groups(left, self.tokens, pulls, int(self.budget * _FILL), have_met):
            self._add(members)

    def _add(self, members: "array[int]") -> None:
        for d in members:
            self.home[d] = len(self.groups)
        self.groups.append(members)

    def _moved_in(self, homeless: "array[int]", pulls: _Pulls) -> "array[int]":
        """Put documents into the groups that they are most related to; return those that no group has room for.

        Of related groups, those that have changed come first, because another document in them makes no further
        requests new. So an edited document goes back to the group that it was in.
        """
        room = [self.budget - sum(self.tokens[d] for d in group) for group in self.groups]
        smallest = min(self.tokens[d] for d in homeless)
        left, roomy = array("i"), 0
        for d in homeless:
            tokens = self.tokens[d]
            pull: dict[int, float] = {}
            for other, score in pulls.of(d):
                if (home := self.home[other]) != _NOWHERE:
                    pull[home] = pull.get(home, 0.0) + score
            # No document fits into the groups before this one.
            while roomy < len(room) and room[roomy] < smallest:
                roomy += 1
            fitting = (((g in self.changed, p, -g), g) for g, p in pull.items() if room[g] >= tokens)
            best = max(fitting, default=(None, None))[1]
            if best is None:
                best = next((g for g in range(roomy, len(room)) if room[g] >= tokens), None)
            if best is None:
                left.append(d)
                continue
            self.groups[best].append(d)
            self.changed.add(best)
            room[best] -= tokens
            self.home[d] = best
        return left


class _Queue:
    """Documents in source order, of which any can leave.

    Args:
        documents: The documents, ascending.
        count: Number of all documents, in the queue or not.
    """

    def __init__(self, documents: "array[int]", count: int) -> None:
        # Of each document the one before and after it; the last number stands for both ends of the queue.
        self._end = count
        self._next = array("i", [_NOWHERE]) * (count + 1)
        self._last = array("i", [_NOWHERE]) * (count + 1)
        for before, after in pairwise(chain((count,), documents, (count,))):
            self._next[before], self._last[after] = after, before

    def __contains__(self, document: int) -> bool:
        return self._next[document] != _NOWHERE

    def __iter__(self) -> Iterator[int]:
        document = self._next[self._end]
        while document != self._end:
            yield document
            document = self._next[document]

    def remove(self, document: int) -> None:
        before, after = self._last[document], self._next[document]
        self._next[before], self._last[after] = after, before
        self._next[document] = _NOWHERE


class _Candidates:
    """Documents that are related to a group's members, the most related first; of equals, the first to be added."""

    def __init__(self) -> None:
        self._pull: dict[int, float] = {}
        self._order: dict[int, int] = {}
        self._heap: list[tuple[float, int, int]] = []

    def add(self, document: int, score: float) -> None:
        pull = self._pull[document] = self._pull.get(document, 0.0) + score
        heapq.heappush(self._heap, (-pull, self._order.setdefault(document, len(self._order)), document))

    def take(self, fits: Callable[[int], bool]) -> int | None:
        """Take the most related document that fits; those that do not fit never will, as a group only grows."""
        while self._heap:
            pull, _, document = heapq.heappop(self._heap)
            # An entry from before the pull grew is out of date.
            if self._pull.get(document) == -pull:
                del self._pull[document]
                if fits(document):
                    return document
        return None


def _fresh_groups(
    documents: "array[int]",
    tokens: "array[int]",
    pulls: _Pulls,
    budget: int,
    have_met: Callable[[int, int], bool],
) -> "Iterator[array[int]]":
    """Build groups one at a time, adding the document most related to the members until none fits."""
    left = _Queue(documents, len(tokens))
    while (chosen := next(iter(left), None)) is not None:
        group, related, room = array("i"), _Candidates(), budget
        while chosen is not None:
            group.append(chosen)
            left.remove(chosen)
            room -= tokens[chosen]
            new = ((other, score) for other, score in pulls.of(chosen) if other in left and not have_met(other, chosen))
            for other, score in islice(new, _BROUGHT_IN):
                related.add(other, score)
            chosen = _next_member(left, related, tokens, room)
        yield group


def _next_member(left: _Queue, related: _Candidates, tokens: "array[int]", room: int) -> int | None:
    def fits(document: int) -> bool:
        return tokens[document] <= room

    chosen = related.take(fits)
    if chosen is not None:
        return chosen
    # No related document fits: fill the group with the next documents in order, so that few groups stay small.
    return next((d for d, _ in zip(left, range(_NEXT), strict=False) if fits(d)), None)
