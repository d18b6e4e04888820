"""What is recorded of a student's answers, for the manifest and its readers; imports nothing heavy."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class LeftOut:
    """The teacher's requests that are left out, because the student knows what they are about.

    Attributes:
        requests: Number of distinct requests, by strategy.
        prompt_tokens: Tokens of their prompts, as the teacher counts them, each with its prefix.
        answer_tokens: What their answers would have taken if they were as long as the stored ones of the same strategy
            on average; those of a strategy without stored answers are not counted.
    """

    requests: dict[str, int] = field(default_factory=dict)
    prompt_tokens: int = 0
    answer_tokens: int = 0

    @property
    def total(self) -> int:
        """Number of requests of all strategies."""
        return sum(self.requests.values())


@dataclass(frozen=True)
class ProbeRecord:
    """What the student was found to know.

    Attributes:
        by: Name of the student in request keys.
        questions: Number of questions, each sentence's own.
        right: Number of them that it answered right.
        sentences: Number of sentences.
        asked_about: Number of those that something could be asked about.
        known_sentences: Number of those that it knows.
        documents: Number of documents of plain text.
        known_documents: Number of those that it knows.
        left_out: The teacher's requests that are left out.
    """

    by: str
    questions: int
    right: int
    sentences: int
    asked_about: int
    known_sentences: int
    documents: int
    known_documents: int
    left_out: LeftOut = LeftOut()

    def lines(self) -> list[str]:
        """Format what was found, for the summary and the plan."""
        found = (
            f"student {self.by} answered {self.right:,} of {self.questions:,} questions right; it knows "
            f"{self.known_sentences:,} of {self.sentences:,} sentences ({self.asked_about:,} could be asked about) and "
            f"{self.known_documents:,} of {self.documents:,} documents"
        )
        by_strategy = ", ".join(f"{name} {n:,}" for name, n in self.left_out.requests.items() if n)
        spared = (
            f"left out: {self.left_out.total:,} of the teacher's requests ({by_strategy}), about "
            f"{self.left_out.prompt_tokens:,} tokens of prompts and {self.left_out.answer_tokens:,} of answers"
        )
        return [found, spared] if self.left_out.total else [found]
