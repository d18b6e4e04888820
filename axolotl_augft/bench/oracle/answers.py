"""A prompt and a data set's facts -> the oracle teacher's answer: everything that follows, the ceiling for any teacher.

The oracle gets the same requests as any teacher, uses only the texts that a request shows, and answers in the form that
the prompts ask for.
"""

import hashlib
import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache

import orjson

from axolotl_augft.bench.datasets.dataset import BenchData
from axolotl_augft.bench.datasets.facts import Fact, Step, applications, closure, steps_from
from axolotl_augft.bench.datasets.grammar import Grammar
from axolotl_augft.bench.datasets.reading import Reader
from axolotl_augft.bench.oracle.prompt_reading import (
    AlonePrompt,
    GlobalPrompt,
    LocalPrompt,
    TogetherPrompt,
    UnreadablePrompt,
    VerifyPrompt,
    read_prompt,
)

_VERSION = 2
_WORDINGS = {"rephrasing": 2, "reversal": 2, "consequence": 1}
# A trace becomes one training row, and axolotl drops rows longer than the student's sequence.
_TRACE_STEPS = 12
_GROUPS = 16
_WORD = re.compile(r"\w+")


class Oracle:
    """Answers the package's own prompts about one data set."""

    def __init__(self, data: BenchData, grammar: Grammar) -> None:
        self._data = data
        self._grammar = grammar
        self._reader = Reader(grammar)
        self._texts = "\n".join(" ".join(d.split()) for d in data.documents)
        self._group = lru_cache(maxsize=_GROUPS)(self._make_group)
        self._alone = lru_cache(maxsize=None)(self._follows_alone)

    @cached_property
    def id(self) -> str:
        """The teacher's id in the response store: it changes with anything that changes an answer."""
        facts = sorted(closure(self._data.facts, self._data.rules))
        worded = [[f.as_list(), list(self._grammar.wordings(f))] for f in facts]
        rules = [[[p.as_list() for p in r.premises], r.conclusion.as_list()] for r in self._data.rules]
        return "oracle-" + hashlib.sha256(orjson.dumps([_VERSION, worded, rules])).hexdigest()[:16]

    def answer(self, prompt: str, seed: int = 0) -> str:
        """Answer a prompt; empty if nothing follows. The seed selects the wordings.

        Raises:
            UnreadablePrompt: The prompt is not one of the package's own, or is about texts that are not in the data
                set.
        """
        asked = read_prompt(prompt)
        match asked:
            case LocalPrompt():
                return self._answer_local(asked, seed)
            case GlobalPrompt():
                return self._answer_global(asked, seed)
            case AlonePrompt() | TogetherPrompt():
                return "yes"
            case VerifyPrompt():
                return "yes" if asked.statement in asked.premises or self._follows(asked) else "no"

    def _follows(self, asked: VerifyPrompt) -> bool:
        follows = closure([*self._facts(asked.premises), *self._data.background], self._data.rules)
        stated = self._reader.facts(asked.statement)
        return bool(stated) and follows.issuperset(stated)

    def _answer_local(self, asked: LocalPrompt, seed: int) -> str:
        said = "\n".join(f" {_plain(s)} " for s in asked.sentences)
        lines = []
        for number, sentence in enumerate(asked.sentences, start=1):
            for kind, fact in self._about(sentence):
                if kind in asked.kinds:
                    new = [w for w in self._wordings(fact, seed, sentence) if f" {_plain(w)} " not in said]
                    lines += [f"[{number}] {kind}: {text}" for text in new[: _WORDINGS[kind]]]
        text = "\n".join(dict.fromkeys(lines))
        return re.sub(r"^\[1\] \w+:", "", text, flags=re.MULTILINE) if asked.alone else text

    def _about(self, sentence: str) -> Iterator[tuple[str, Fact]]:
        """Yield what may be written about a sentence, as kind and fact."""
        facts = self._facts(sentence)
        yield from (("rephrasing", fact) for fact in facts)
        yield from ((_kind(step), step.conclusion) for step in self._alone(facts))

    def _follows_alone(self, facts: tuple[Fact, ...]) -> list[Step]:
        return steps_from(facts, self._data.background, self._data.rules)

    def _answer_global(self, asked: GlobalPrompt, seed: int) -> str:
        steps = self._group(asked.documents).follows_from(self._facts(asked.target))
        worded = [
            (step, wordings[0]) for step in steps if (wordings := self._wordings(step.conclusion, seed, asked.target))
        ]
        if not worded:
            return ""
        trace = " ".join(self._reasoning(step) for step, _ in worded[:_TRACE_STEPS])
        return "\n".join([trace, "Conclusions:", *(f"- {text}" for _, text in worded)])

    def _reasoning(self, step: Step) -> str:
        """Word a step: "All A are B, and all B are C, so all A are C." Facts without a wording are left out."""
        worded = [(p, wordings[0].rstrip(".")) for p in step.premises if (wordings := self._grammar.wordings(p))]
        conclusion = self._grammar.wordings(step.conclusion)[0]
        if not worded:
            return conclusion
        others = "".join(f", and {_inside(text, fact)}" for fact, text in worded[1:])
        return f"{worded[0][1]}{others}, so {_inside(conclusion, step.conclusion)}"

    def _make_group(self, documents: tuple[str, ...]) -> "_Group":
        # Sorted, because the order decides which of several derivations is told and must not depend on the hash seed.
        stated = sorted({fact for text in documents for fact in self._facts(text)})
        return _Group(
            [*stated, *self._data.background], applications([*stated, *self._data.background], self._data.rules)
        )

    def _facts(self, text: str) -> tuple[Fact, ...]:
        """The facts of a text: those recorded for a whole document, otherwise those that the grammar reads.

        Raises:
            UnreadablePrompt: The grammar reads nothing and the text is not part of the data set.
        """
        if text in self._stated:
            return self._stated[text]
        facts = self._reader.facts(text)
        if not facts and " ".join(text.split()) not in self._texts:
            raise UnreadablePrompt(f"a text of {len(text)} characters that occurs in no document of {self._data.name}")
        return facts

    @cached_property
    def _stated(self) -> dict[str, tuple[Fact, ...]]:
        facts: dict[str, dict[Fact, None]] = {d.strip(): {} for d in self._data.documents}
        for stated in self._data.stated:
            for i in stated.documents:
                facts[self._data.documents[i].strip()].setdefault(stated.fact)
        return {text: tuple(own) for text, own in facts.items()}

    def _wordings(self, fact: Fact, seed: int, about: str) -> list[str]:
        """All wordings of a fact, starting at one that depends on the seed and on the text it is written about."""
        wordings = self._grammar.wordings(fact)
        if not wordings:
            return []
        digest = hashlib.blake2b(orjson.dumps([fact.as_list(), about]), digest_size=8).digest()
        first = (int.from_bytes(digest, "big") + seed) % len(wordings)
        return [*wordings[first:], *wordings[:first]]


class _Group:
    """The facts that a context group states, with all rule applications over them."""

    def __init__(self, given: Iterable[Fact], steps: Iterable[Step]) -> None:
        self._given = frozenset(given)
        self._using: dict[Fact, list[Step]] = defaultdict(list)
        for step in steps:
            for premise in step.premises:
                self._using[premise].append(step)

    def follows_from(self, facts: Iterable[Fact]) -> list[Step]:
        """One step per conclusion that uses some of the facts and is not given, in the order of derivation.

        Steps whose premises are all given or already concluded come first, so that a trace rarely skips a link.
        """
        known = set(self._given)
        used: set[Fact] = set()
        found: list[Step] = []
        ready: deque[Step] = deque()
        late: deque[Step] = deque()

        def use(fact: Fact) -> None:
            used.add(fact)
            known.add(fact)
            for step in self._using.get(fact, ()):
                (ready if known.issuperset(step.premises) else late).append(step)

        for fact in facts:
            if fact not in used:
                use(fact)
        while ready or late:
            step = (ready or late).popleft()
            if step.conclusion in used:
                continue
            if step.conclusion not in self._given:
                found.append(step)
            use(step.conclusion)
        return found


def _kind(step: Step) -> str:
    """Kind of a step; a reversal has the arguments of its only premise in another order."""
    new = step.conclusion.arguments
    turned = any(sorted(new) == sorted(p.arguments) and new != p.arguments for p in step.premises)
    return "reversal" if turned and len(step.premises) == 1 else "consequence"


def _inside(sentence: str, fact: Fact) -> str:
    """Put a sentence inside another one: lower-case its first word, unless that is a name in the fact."""
    names = {word for argument in fact.arguments for word in _WORD.findall(argument)}
    first = _WORD.search(sentence)
    return (
        sentence
        if first is None or first.group() in names
        else sentence[: first.start()] + first.group().lower() + sentence[first.end() :]
    )


def _plain(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold()))
