"""The keys of an `augment` entry that do not depend on its strategy, and the check of texts with places to fill in."""

from string import Formatter
from typing import ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from axolotl_augft.config.values.block import SettingsBlock


class StrategySettings(SettingsBlock):
    """Settings that all strategies have in common.

    Each strategy's model narrows `strategy` to a literal of its own name, which is also the default.
    """

    asks: ClassVar[bool] = False
    """Whether the teacher model is asked anything."""

    strategy: str

    @property
    def files(self) -> list[str]:
        """Paths of the files named by this entry, on whose contents the result depends."""
        return []

    @property
    def makes_chats(self) -> bool:
        """Whether plain text becomes chat rows, for which the student needs a chat template."""
        return False

    def conflict_with_questions(self) -> str | None:
        """Explain why the rows cannot become questions with answers, or return None if they can.

        The explanation is a clause that continues "holds questions and answers, which …".
        """
        return None


def check_form(form: str, names: tuple[str, ...]) -> None:
    """Check a text with places to fill in.

    Args:
        form: The text, with `{name}` for a place.
        names: The places that it must have; it may have no other.

    Raises:
        ValueError: A place is missing, unknown or not well formed.
    """
    wanted = " and ".join(f"{{{name}}}" for name in names)
    try:
        found = [name for _, name, _, _ in Formatter().parse(form) if name is not None]
        form.format(**dict.fromkeys(names, ""))
    except (ValueError, LookupError, AttributeError) as error:
        raise ValueError(f"must be a text with {wanted}, and braces for nothing else, got {form!r}") from error
    if missing := [name for name in names if name not in found]:
        raise ValueError(f"lacks {{{missing[0]}}}; it must be a text with {wanted}, got {form!r}")


Written = Literal["statements", "questions"]


class AskingSettings(StrategySettings):
    """Settings that all strategies have in common that ask the teacher model."""

    asks = True
    default_max_tokens: ClassVar[int]
    """Maximum length of an answer in tokens if neither the entry nor `augft.teacher` sets `max_tokens`."""

    samples: int = Field(1, ge=1, le=100, description="Number of answers per prompt, each with its own seed.")
    max_tokens: int | None = Field(
        None, ge=1, description="Maximum length of an answer, in tokens. Default: teacher.max_tokens."
    )
    prompt: str | None = Field(
        None,
        min_length=1,
        description="Jinja file with your own prompt. It has the same blocks as the package's prompt.",
    )
    stop: list[str] | None = Field(
        None, max_length=4, description="Stop sequences. Default: none for chat, the template's own for completions."
    )
    write: Written | list[Written] | None = Field(
        None,
        description="What plain documents become: `statements` (more text), `questions` (with answers), or a list of "
        "both. Rows that are questions with answers always become questions. Default: the kind that the source holds.",
    )
    question_form: str | None = Field(
        None,
        description="A text with `{question}` and `{answer}` that questions about plain documents become, for models "
        "without a chat template. Default: chat rows.",
    )

    @field_validator("question_form")
    @classmethod
    def _has_both_places(cls, value: str | None) -> str | None:
        if value is not None:
            check_form(value, ("question", "answer"))
        return value

    @model_validator(mode="after")
    def _question_keys_have_questions(self) -> "AskingSettings":
        if isinstance(self.write, list) and len(set(self.write)) != len(self.write) or self.write == []:
            raise ValueError(f"write must name statements, questions or both, each once, got {self.write}")
        if self.question_form is not None and "questions" not in self.written:
            raise ValueError("question_form is for questions about plain documents; set write: questions, too")
        return self

    @property
    def written(self) -> tuple[Written, ...]:
        """What is written about plain documents."""
        if isinstance(self.write, list):
            return tuple(self.write)
        return (self.write or "statements",)

    @property
    def files(self) -> list[str]:
        """Paths of the files named by this entry, on whose contents the result depends."""
        return [self.prompt] if self.prompt else []

    @property
    def makes_chats(self) -> bool:
        """Whether plain text becomes chat rows."""
        return "questions" in self.written and self.question_form is None

    def conflict_with_questions(self) -> str | None:
        """Explain why the answers cannot become questions with answers."""
        return (
            f"cannot become statements (augment: {self.strategy}, write: statements)"
            if self.write is not None and "questions" not in self.written
            else None
        )
