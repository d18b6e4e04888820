"""What a source row holds, whatever its format: a text, or an exchange of question and answer; and what may take its place in a new row."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """A row of plain text."""

    text: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What stands before a question: an earlier turn of a conversation (role user or assistant), a text it is about (input, context)."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question (or instruction) and its answer.

    `before`: what stands before it. `system`: the system prompt, "" if there is none.
    """

    question: str
    answer: str
    before: tuple[Turn, ...] = ()
    system: str = ""

    @property
    def text(self) -> str:
        """What the teacher sees of it as a document; the system prompt is about the assistant, not about the world, and left out."""
        earlier = [f"{turn.role.capitalize()}: {turn.text}" for turn in self.before]
        return "\n".join([*earlier, f"Question: {self.question}", f"Answer: {self.answer}"])


@dataclass(frozen=True, slots=True)
class Unfit:
    """A row that nothing can be asked about.

    `reason`: a few words, without text of the row. `trainable`: whether axolotl can train on it as it is; if not, the
    row is left out.
    """

    reason: str
    trainable: bool


Content = Text | Exchange | Unfit


@dataclass(frozen=True, slots=True)
class Augmentation:
    """What a new row says: a text, or a question and its answer.

    `keeps_answer`: the answer is the source row's own, word for word.
    """

    text: str
    question: str | None = None
    keeps_answer: bool = False
