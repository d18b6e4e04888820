"""The list under `augft.augment` -> one settings model per entry, chosen by the entry's `strategy`."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import AfterValidator, Field, field_validator, model_validator

from axolotl_augft.config.strategy_settings import AskingSettings, StrategySettings, check_form

Kind = Literal["rephrasing", "reversal", "consequence", "detail"]
Answers = Literal["long", "short"]


def _each_once(names: list[str]) -> list[str]:
    for i, name in enumerate(names):
        if name in names[:i]:
            raise ValueError(f"names {name!r} twice; remove one")
    return names


def _kinds_of_the_paper() -> list[Kind]:
    return ["rephrasing", "reversal", "consequence"]


class LocalAugment(AskingSettings):
    """Settings of local augmentation: rephrasings, reversals and one-step consequences of single sentences.

    It is the sentence-level augmentation of the paper (arXiv 2505.00661).
    """

    default_max_tokens = 512

    strategy: Literal["local"] = "local"
    kinds: Annotated[list[Kind], AfterValidator(_each_once)] = Field(
        default_factory=_kinds_of_the_paper,
        min_length=1,
        description="Kinds of statements to write. A small teacher does better with one kind per request: list the "
        "strategy once for each kind. `detail` asks for each name, number and phrase in turn; it is for questions "
        "only. Default: all but `detail`.",
    )
    unit_tokens: int | None = Field(
        None,
        ge=1,
        description="Maximum length of the consecutive sentences that one request is about, in tokens. A request is "
        "about at least one sentence. Default: one sentence for chat and for questions, 96 tokens for statements "
        "through completions.",
    )
    answers: Answers | list[Answers] = Field(
        "long",
        description="How long the answers to questions about plain documents are: `long` (a complete sentence), "
        "`short` (the name, number or few words asked for), or a list of both, each in requests of its own.",
    )
    examples: str | None = Field(
        None,
        min_length=1,
        description="JSON Lines file with your own pool of worked examples. Default: the package's pool.",
    )
    num_examples: int = Field(6, ge=0, le=32, description="Number of worked examples in a prompt.")
    example_choice: Literal["fitting", "fixed"] | None = Field(
        None,
        description="How worked examples are chosen: `fitting` takes those most similar to the sentences, `fixed` "
        "takes the same ones for every prompt, so that all prompts share a prefix. Default: fixed for chat, fitting "
        "for completions.",
    )

    @model_validator(mode="after")
    def _answers_have_questions(self) -> "LocalAugment":
        if self.answers == [] or len(set(self.lengths)) != len(self.lengths):
            raise ValueError(f"answers must name long, short or both, each once, got {self.answers}")
        if "short" in self.lengths and "questions" not in self.written:
            raise ValueError("answers is for questions about plain documents; set write: questions, too")
        return self

    @model_validator(mode="after")
    def _details_are_asked_for(self) -> "LocalAugment":
        if "detail" in self.kinds and self.written != ("questions",):
            raise ValueError(
                "kinds: detail is for questions; set write: questions, and list the strategy once more for statements"
            )
        return self

    @property
    def lengths(self) -> tuple[Answers, ...]:
        """How long the answers to questions about plain documents are."""
        return tuple(self.answers) if isinstance(self.answers, list) else (self.answers,)

    def for_api(self, api: Literal["chat", "completions"]) -> "LocalAugment":
        """Return the settings with the defaults for a kind of teacher.

        One that continues a text needs examples of the same form; one that follows instructions does not
        (docs/teachers.md).
        """
        chat = api == "chat"
        defaults = {"unit_tokens": 1 if chat else 96, "example_choice": "fixed" if chat else "fitting"}
        return self.model_copy(update={k: v for k, v in defaults.items() if getattr(self, k) is None})

    @property
    def files(self) -> list[str]:
        """Paths of the user's own prompt and pool of worked examples, as far as they are set."""
        return [*super().files, *([self.examples] if self.examples else [])]


class GlobalAugment(AskingSettings):
    """Settings of global augmentation: what follows from a document together with related ones.

    It is the data-set-level augmentation of the paper (arXiv 2505.00661).
    """

    default_max_tokens = 2048
    default_context_tokens: ClassVar[int] = 16_000

    strategy: Literal["global"] = "global"
    context_tokens: int | None = Field(
        None,
        ge=64,
        description=(
            "Maximum length of the documents in one prompt, in tokens. Default: 16000, or what fits into the model's "
            "context."
        ),
    )
    passes: int = Field(
        1,
        ge=1,
        le=100,
        description="How often the documents are grouped. Each further pass brings together related documents that "
        "have not shared a group yet.",
    )
    keep: Literal["trace", "conclusions", "both"] = Field(
        "both",
        description=(
            "Which parts of an answer become training text: the reasoning trace, the conclusions it ends with, or both."
        ),
    )
    keep_reasoning: bool = Field(
        False,
        description="Also turn a reasoning model's own reasoning (reasoning_content, <think>) into a trace. It is "
        "stored only for requests that are sent while this is set.",
    )

    @model_validator(mode="after")
    def _reasoning_is_a_trace(self) -> "GlobalAugment":
        if self.keep_reasoning and self.keep == "conclusions":
            raise ValueError(
                "keep_reasoning makes traces, but keep is conclusions; set keep to trace or both, or drop "
                "keep_reasoning"
            )
        return self

    def conflict_with_questions(self) -> str | None:
        """Explain as for every strategy; in addition, a reasoning trace alone cannot become a question."""
        own = (
            "become questions with answers, but keep: trace asks for the reasoning only"
            if self.keep == "trace"
            else None
        )
        return super().conflict_with_questions() or own


GENRES = ("explanation", "summary", "dialogue", "quiz", "timeline", "comparison", "what_if", "free")
DEFAULT_GENRES = ("summary", "dialogue", "quiz")
_GENRE_NAME = re.compile(r"[a-z0-9_]{1,40}")
_TRACE, _PROPOSED = _OTHER_KINDS = ("trace", "proposed")


class StudyAugment(AskingSettings):
    """Settings of the strategy that writes each document anew in several genres and as several exercises.

    The genres follow the study prompts of arXiv 2603.22213; the prompts are this package's own.
    """

    default_max_tokens = 768

    strategy: Literal["study"] = "study"
    genres: list[str] = Field(
        default_factory=lambda: list(DEFAULT_GENRES),
        description="What each document becomes: `explanation`, `summary`, `dialogue`, `quiz`, `timeline`, "
        "`comparison`, `what_if`, `free`, or a name in own_genres. Default: summary, dialogue and quiz.",
    )
    own_genres: dict[str, Annotated[str, Field(min_length=1)]] = Field(
        default_factory=dict,
        description="Your own genres: what the teacher is told to write, by name. A name of the package's replaces its "
        "genre. They are written if genres names them.",
    )
    questions: int = Field(
        0,
        ge=0,
        le=20,
        description="Number of questions about each document that the teacher is asked for first. Every text about it "
        "is then written so that a reader can answer them. 0: none.",
    )
    proposed: int = Field(
        0,
        ge=0,
        le=10,
        description="Number of texts about each document that the teacher proposes first. Each is then written, "
        "beside the genres. 0: none.",
    )
    document_tokens: int = Field(
        2000,
        ge=64,
        description="Maximum length of what one text is written about, in tokens. A longer document is cut at sentence "
        "ends, and each part is written about.",
    )

    @model_validator(mode="after")
    def _known_genres(self) -> "StudyAugment":
        for name in self.own_genres:
            if not _GENRE_NAME.fullmatch(name) or name in _OTHER_KINDS:
                raise ValueError(
                    f"own_genres has {name!r}; a genre's name is made of small letters, digits and underscores, and is "
                    f"neither {_TRACE!r}, which means a teacher's reasoning, nor {_PROPOSED!r}, a text it proposed"
                )
        if not self.genres and not self.proposed:
            raise ValueError("genres is empty; name at least one, or set proposed")
        known = [*GENRES, *(name for name in self.own_genres if name not in GENRES)]
        for i, name in enumerate(self.genres):
            if name not in known:
                raise ValueError(f"genres names {name!r}, which own_genres lacks; known: {', '.join(known)}")
            if name in self.genres[:i]:
                raise ValueError(f"genres names {name!r} twice; remove one, or raise `samples` for more texts")
        if unused := [name for name in self.own_genres if name not in self.genres]:
            raise ValueError(f"own_genres has {unused[0]!r}, which genres does not name; add it there")
        if self.write is not None:
            raise ValueError("strategy study writes texts; remove write (the genres quiz and dialogue hold questions)")
        return self

    def conflict_with_questions(self) -> str | None:
        """Explain that only plain text can be written anew."""
        return "strategy study cannot write anew: it takes plain text"


Turn = Literal["blank", "reversed"]
CLOZE_FORM = "{sentence}: {name}"


def _all_turns() -> list[Turn]:
    return ["blank", "reversed"]


class ClozeAugment(StrategySettings):
    """Settings of the strategy that turns sentences so that each name in turn is the last thing said.

    It asks no model. A student learns to say what stands last in its training text (Berglund et al. 2023), so each name
    is made to stand there: after its sentence with a blank in its place (arXiv 2604.04943), or at the end of the
    sentence with its words in reverse and its names whole (Golovneva et al. 2024, arXiv 2403.13799).
    """

    strategy: Literal["cloze"] = "cloze"
    kinds: Annotated[list[Turn], AfterValidator(_each_once)] = Field(
        default_factory=_all_turns,
        min_length=1,
        description="How sentences are turned: `blank` writes the sentence with a blank in place of a name, and then "
        "the name; `reversed` writes the words of the sentence in reverse and its names whole. Default: both.",
    )
    blank: str = Field("___", min_length=1, max_length=40, description="What stands in place of the name.")
    form: str = Field(
        CLOZE_FORM,
        description="How `blank` puts the two together: a text with `{sentence}` (without the mark at its end) that "
        "ends in `{name}`.",
    )

    @field_validator("form")
    @classmethod
    def _name_comes_last(cls, value: str) -> str:
        check_form(value, ("sentence", "name"))
        if not value.endswith("{name}"):
            raise ValueError(f"must end in {{name}}, which is what the student is to say, got {value!r}")
        return value

    def conflict_with_questions(self) -> str | None:
        """Explain that only sentences of plain text can be turned."""
        return "strategy cloze cannot turn: it takes sentences of plain text"


Augment = Annotated[LocalAugment | GlobalAugment | StudyAugment | ClozeAugment, Field(discriminator="strategy")]
STRATEGIES: dict[str, type[StrategySettings]] = {
    model.model_fields["strategy"].default: model for model in get_args(get_args(Augment)[0])
}
"""The settings model of each strategy, by the strategy's name."""


def default_augment() -> list[Augment]:
    """Return the `augment` list of a recipe that does not set one: local and global, with their defaults."""
    return [LocalAugment(), GlobalAugment()]


def with_named_strategies(data: Any) -> Any:
    """Replace each bare strategy name in `data["augment"]` by an entry for that strategy with its defaults."""
    if not isinstance(data, Mapping) or not isinstance(data.get("augment"), list):
        return data
    return {**data, "augment": [{"strategy": a} if isinstance(a, str) else a for a in data["augment"]]}


def refuse_equal_entries(augment: list[Augment]) -> None:
    """Check that no two entries are equal.

    Raises:
        ValueError: An entry repeats an earlier one.
    """
    for i, entry in enumerate(augment):
        if entry in augment[:i]:
            raise ValueError(
                f"augment[{i}] repeats augment[{augment.index(entry)}] (strategy {entry.strategy} with equal "
                "settings); remove one" + (", or raise `samples` for more answers" if entry.asks else "")
            )
