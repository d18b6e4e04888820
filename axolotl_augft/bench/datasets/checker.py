"""A data set with questions -> its problems, or what is proven about it.

Does not rely on the code that made the data set: conclusions are deduced independently (`deduction`), the grammar reads
documents and choices, and word statistics are computed from the texts (`words.checker`).
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from scipy import stats

from axolotl_augft.bench.datasets.dataset import BenchData, Question
from axolotl_augft.bench.datasets.deduction import consequences, is_safe
from axolotl_augft.bench.datasets.facts import Fact
from axolotl_augft.bench.datasets.grammar import Grammar
from axolotl_augft.bench.datasets.words.checker import WordsLimit, words_limits, words_lines, words_problems
from axolotl_augft.bench.datasets.words.scorer import sentences_of

LOPSIDED = 1e-4
"""Probability below which a distribution of the right answers' places counts as lopsided."""
_COUNTED_FROM = 40

# Punctuation of sentences; brackets and the signs of a formula count as words.
_PUNCTUATION = re.compile(r"[.,;:!?\"'“”‘’…–—_]|--+")
_WORD = re.compile(r"\w+|[^\w\s]")


def check(data: BenchData, grammar: Grammar | None = None) -> list[str]:
    """List the problems of a data set, one line each; empty if everything is proven.

    Args:
        data: The data set.
        grammar: The wording of its facts. Without it, documents and choices are taken to state what they claim.
    """
    return Examination(data, grammar).problems


@dataclass(frozen=True)
class Examination:
    """One examination of a data set: its `problems`, or what is `proven` if there are none."""

    data: BenchData
    grammar: Grammar | None = None

    @cached_property
    def problems(self) -> list[str]:
        """Problems, one line each; empty if everything is proven."""
        if not self.data.questions:
            return [f"{self.data.name}: has no questions"]
        found = [*self._rule_problems(), *self._id_problems()]
        for question in self.data.questions:
            found += [f"question {question.id}: {problem}" for problem in self._question_problems(question)]
        found += [*self._document_problems(), *self._place_problems()]
        if self.data.made_words:
            found += words_problems(self.data)
        if self.data.strict_words:
            found += [limit.problem for limit in self.words_limits if limit.is_passed]
        return found

    @cached_property
    def proven(self) -> list[str]:
        """What holds if there are no problems, one line each, with counts."""
        data = self.data
        wrong = sum(len(q.distractors) for q in data.questions)
        trained = sum(q.fact in self._trained for q in data.questions)
        lines = [
            f"{len(data.questions):,} right choices follow from {len(data.stated):,} trained facts and "
            f"{len(data.rules)} rules "
            f"({trained:,} are trained themselves); none of {wrong:,} wrong choices does",
            f"no right statement occurs in any of {len(data.documents):,} documents",
        ]
        if self.grammar:
            claims = sum(len(s.documents) for s in data.stated)
            lines.append(
                f"read by the grammar: {claims:,} statements of trained facts in the documents, and no other fact in "
                f"them"
            )
        if data.strict_words:
            best = max(self.words_limits, key=lambda limit: limit.reached.accuracy - limit.limit)
            lines.append(f"no bag of words does better than chance; nearest to its limit: {best}")
        return [*lines, *words_lines(self.words_limits)]

    @cached_property
    def words_limits(self) -> tuple[WordsLimit, ...]:
        """Accuracy of the bag-of-words scorers, and the limit for each.

        Questions whose answer is not among their choices are left out.
        """
        usable = [q for q in self.data.questions if len(q.choices) > 1 and 0 <= q.answer < len(q.choices)]
        return words_limits(usable, self.data.documents) if usable else ()

    @cached_property
    def _trained(self) -> frozenset[Fact]:
        return frozenset(s.fact for s in self.data.stated)

    @cached_property
    def _following(self) -> frozenset[Fact]:
        return consequences(self.data.facts, [r for r in self.data.rules if is_safe(r)])

    @cached_property
    def _normalised(self) -> tuple[str, ...]:
        return tuple(normalised(d) for d in self.data.documents)

    @cached_property
    def _all_normalised(self) -> str:
        return "\n".join(self._normalised)

    def _rule_problems(self) -> Iterator[str]:
        for i, rule in enumerate(self.data.rules):
            if not is_safe(rule):
                yield f"rule {i}: its conclusion {worded(rule.conclusion)} has a variable that no premise has"

    def _id_problems(self) -> Iterator[str]:
        for name, count in Counter(q.id for q in self.data.questions).items():
            if count > 1:
                yield f"question {name}: {count} questions have this id"

    def _question_problems(self, question: Question) -> Iterator[str]:
        choices = Counter(normalised(c) for c in question.choices)
        if len(choices) < len(question.choices):
            text, count = choices.most_common(1)[0]
            yield f"choices are not distinct: {text.strip()!r} occurs {count} times"
        if len(question.choices) < 2:
            yield f"has {len(question.choices)} choices, at least 2 are needed"
        if not 0 <= question.answer < len(question.choices):
            yield f"answer {question.answer} is not the index of one of {len(question.choices)} choices"
            return
        if len(question.distractors) != len(question.choices) - 1:
            yield (
                f"{len(question.distractors)} distractors for {len(question.choices)} choices, expected "
                f"{len(question.choices) - 1}"
            )
        else:
            yield from self._reading_problems(question)
        yield from self._proof_problems(question)
        yield from self._leak_problems(question)

    def _proof_problems(self, question: Question) -> Iterator[str]:
        if question.fact is None:
            yield "has no fact, so nothing can be proven about it"
        elif question.fact not in self._following:
            yield f"right choice {worded(question.fact)} does not follow from what is trained"
        for distractor in question.distractors:
            if distractor in self._following:
                yield f"wrong choice {worded(distractor)} follows from what is trained"

    def _leak_problems(self, question: Question) -> Iterator[str]:
        statement = normalised(question.statement)
        if statement in self._all_normalised:
            document = next(i for i, text in enumerate(self._normalised) if statement in text)
            kind = (
                "trained fact is asked verbatim" if question.fact in self._trained else "right statement is given away"
            )
            yield f"{kind}: {question.statement!r} occurs in document {document}"

    def _reading_problems(self, question: Question) -> Iterator[str]:
        """Check that the grammar reads each choice as the fact it claims to state.

        The right fact belongs to the right choice's place, the distractors in order to the others.
        """
        if self.grammar is None or question.fact is None:
            return
        claimed = list(question.distractors)
        claimed.insert(question.answer, question.fact)
        for i, (choice, fact) in enumerate(zip(question.choices, claimed, strict=True)):
            read = self.grammar.read(f"{question.prompt} {choice}")
            if fact not in read:
                yield f"choice {i} {choice!r} is read as {_listed(read)}, expected {worded(fact)}"
            elif i == question.answer and (beyond := [f for f in read if f != fact and f not in self._following]):
                yield (
                    f"right choice {choice!r} also states {_listed(beyond)}, which does not follow from what is trained"
                )

    def _document_problems(self) -> Iterator[str]:
        last = len(self.data.documents) - 1
        for stated in self.data.stated:
            if not stated.documents:
                yield f"fact {worded(stated.fact)}: is listed as trained, but without a document"
            for i in stated.documents:
                if not 0 <= i <= last:
                    yield f"fact {worded(stated.fact)}: document {i} does not exist, the last one is {last}"
                elif self.grammar and stated.fact not in self._read[i]:
                    yield f"fact {worded(stated.fact)}: no sentence of document {i} states it"
        if self.grammar:
            yield from self._accidents()
            yield from self._denials(self.grammar)

    @cached_property
    def _read(self) -> tuple[frozenset[Fact], ...]:
        """Facts that the sentences of each document state."""
        assert self.grammar is not None
        read = {s: self.grammar.read(s) for s in {s for d in self.data.documents for s in sentences_of(d)}}
        return tuple(frozenset(f for s in sentences_of(d) for f in read[s]) for d in self.data.documents)

    def _accidents(self) -> Iterator[str]:
        """Facts that a document states without being listed for it."""
        claimed: dict[int, set[Fact]] = defaultdict(set)
        for stated in self.data.stated:
            for i in stated.documents:
                claimed[i].add(stated.fact)
        for i, read in enumerate(self._read):
            for fact in sorted(read - claimed[i]):
                yield f"document {i}: states {worded(fact)}, which is not listed as trained by it"

    def _denials(self, grammar: Grammar) -> Iterator[str]:
        """Facts that a document denies although they follow."""
        for i, document in enumerate(self.data.documents):
            denied = {fact for sentence in sentences_of(document) for fact in grammar.denied(sentence)}
            for fact in sorted(denied & self._following):
                yield f"document {i}: denies {worded(fact)}, which follows from what is trained"

    def _place_problems(self) -> Iterator[str]:
        """Right answers that are at some places too often, by number of choices."""
        by_size: dict[int, list[int]] = defaultdict(list)
        for question in self.data.questions:
            if 0 <= question.answer < len(question.choices):
                by_size[len(question.choices)].append(question.answer)
        for size, answers in sorted(by_size.items()):
            counts = [answers.count(place) for place in range(size)]
            if len(answers) >= _COUNTED_FROM and (p := float(stats.chisquare(counts).pvalue)) < LOPSIDED:
                yield (
                    f"answers: of {len(answers)} questions with {size} choices, {counts} have the right one at each "
                    f"place (p = {p:.0e})"
                )


def normalised(text: str) -> str:
    """Lower-case words without punctuation, with one space before, between and after them."""
    return f" {' '.join(_WORD.findall(_PUNCTUATION.sub(' ', text.casefold())))} "


def worded(fact: Fact) -> str:
    """Write the fact in logical notation, such as more(glorp, zib)."""
    return f"{fact.predicate}({', '.join(fact.arguments)})"


def _listed(facts: Sequence[Fact]) -> str:
    return " and ".join(worded(f) for f in facts) or "nothing"
