"""The recipe -> what the stage needs of the student model's tokenizer: token counts and special tokens."""

from collections.abc import Sequence
from dataclasses import dataclass

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import ConfigError
from axolotl_augft.formats.content import Content, Exchange, Text
from axolotl_augft.text.tokens import TokenCounter, has_chat_template, token_counter


@dataclass(frozen=True)
class Student:
    """What the stage needs of the student, the model that is trained.

    Attributes:
        tokens: Counts tokens.
        bos: Token that begins a text; "" if the tokenizer adds none, or unless sentences are split cumulatively.
        eos: Token that ends a text; "" unless sentences are split cumulatively.
        special_tokens: Special tokens of its tokenizer and of the recipe.
        trains_on_questions: It is trained on questions too (`train_on_inputs`), not only on answers.
    """

    tokens: TokenCounter
    bos: str = ""
    eos: str = ""
    special_tokens: tuple[str, ...] = ()
    trains_on_questions: bool = False

    def trained_texts(self, content: Content | None) -> list[str]:
        """Return the texts of a row that it is trained on: of an exchange, all answers; none if it cannot be read."""
        match content:
            case Text(text):
                return [text]
            case Exchange() if self.trains_on_questions:
                return [*([content.system] if content.system else []), content.text]
            case Exchange(answer=answer, before=before):
                return [*(turn.text for turn in before if turn.role == "assistant"), answer]
            case _:
                return []

    def tokens_with_ends(self, texts: Sequence[str]) -> int:
        """Count the tokens of texts, each with the token that ends it."""
        return sum(self.tokens.count_all(texts)) + len(texts) if texts else 0


def load_student(recipe: Recipe) -> Student:
    """Load the student of a recipe.

    Raises:
        ConfigError: Cumulative splitting needs the tokenizer, but it cannot be loaded or has no end-of-text token; or
            chat rows are written about plain text, but there is no chat template for them.
    """
    tokens = token_counter(recipe.tokenizer)
    special = (*tokens.special, *(str(token) for token in dict(recipe.special_tokens).values()))
    if recipe.chats_about_text and not recipe.names_chat_template and not has_chat_template(recipe.tokenizer):
        raise ConfigError(
            f"write: questions makes chats of documents, but {recipe.tokenizer!r} has no chat template; set "
            f"chat_template, e.g. to chatml, or question_form, for questions as plain text"
        )
    if recipe.augft.sentence_splitting != "cumulative":
        return Student(tokens, special_tokens=special, trains_on_questions=recipe.train_on_inputs)
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(recipe.tokenizer)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"sentence_splitting: cumulative needs the student's tokenizer, but {recipe.tokenizer!r} cannot be loaded "
            f"({type(error).__name__}); download it first"
        ) from error
    tokenizer.add_special_tokens(dict(recipe.special_tokens))
    ids = tokenizer("a")["input_ids"]
    begins = tokenizer.bos_token_id is not None and ids[:1] == [tokenizer.bos_token_id]
    if not tokenizer.eos_token:
        raise ConfigError(
            f"sentence_splitting: cumulative needs an end-of-text token, but {recipe.tokenizer!r} has none; set "
            f"special_tokens.eos_token"
        )
    bos = tokenizer.bos_token if begins else ""
    return Student(tokens, bos, tokenizer.eos_token, special, recipe.train_on_inputs)
