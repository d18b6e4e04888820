"""The content of a source row, whatever its format -> an augmentation, which takes its place in a new row."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """A row of plain text."""

    text: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What precedes a question: an earlier turn of the conversation, or a text that the question is about.

    Attributes:
        role: `user` or `assistant` for a turn (also `tool`), `input` or `context` for a text.
        text: What it says.
    """

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question (or instruction) and its answer.

    Attributes:
        question: The question.
        answer: The answer.
        before: What precedes the question, in order.
        system: The system prompt, "" if there is none.
    """

    question: str
    answer: str
    before: tuple[Turn, ...] = ()
    system: str = ""

    @property
    def text(self) -> str:
        """The exchange as a document for the teacher.

        The system prompt is left out, because it is about the assistant and not about the world.
        """
        earlier = [f"{turn.role.capitalize()}: {turn.text}" for turn in self.before]
        return "\n".join([*earlier, f"Question: {self.question}", f"Answer: {self.answer}"])


@dataclass(frozen=True, slots=True)
class Unfit:
    """A row that the teacher cannot be asked about.

    Attributes:
        reason: A few words, which quote no text of the row.
        trainable: Whether axolotl can train on the row as it is; if not, the row is left out.
    """

    reason: str
    trainable: bool


Content = Text | Exchange | Unfit


@dataclass(frozen=True, slots=True)
class Augmentation:
    """The content of a new row: a text, or a question and its answer.

    Attributes:
        text: The text, or the answer.
        question: The question, None for a plain text.
        keeps_answer: Whether the answer is that of the source row, word for word.
        is_whole: Whether a plain text stays one row where others are split into their sentences.
    """

    text: str
    question: str | None = None
    keeps_answer: bool = False
    is_whole: bool = False
