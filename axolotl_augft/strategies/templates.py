"""Prompt templates: Jinja files with a `system`, a `prefix` and a `target` block; a user's own are rendered in a sandbox.

The prefix block comes first and is the same for many requests, so that a server with a prefix cache computes it once.
Texts of the data are values, never template code. A user's own file has the same blocks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template, TemplateError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from axolotl_augft.errors import ConfigError

BLOCKS = ("system", "prefix", "target")
_FOLDER = Path(__file__).parent / "prompts"


@dataclass(frozen=True)
class PromptTemplate:
    """A parsed template. `known`: the variables that its blocks may use."""

    name: str
    template: Template
    known: tuple[str, ...]

    @cached_property
    def _given(self) -> dict[str, Any]:
        """What every block sees: Jinja's own functions, and None for each variable without a value."""
        return {**self.template.globals, **dict.fromkeys(self.known)}

    def render(self, block: str, **values: Any) -> str:
        """The text of one block, with white space as the template has it.

        Raises:
            ConfigError: The template fails on these values.
        """
        context = self.template.new_context({**self._given, **values}, shared=True)
        try:
            return "".join(self.template.blocks[block](context))
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            raise ConfigError(
                f"prompt {self.name}: block {block} fails ({type(error).__name__}: {error}); mend the template"
            ) from None


def load_prompt(name: str, file: str | None, known: Mapping[str, str]) -> PromptTemplate:
    """Loads the package's prompt `name`, or the user's `file` in its stead.

    Args:
        name: File name below the package's `prompts` folder.
        file: A user's own template, or None.
        known: Variables that the blocks may use, with what they hold.

    Raises:
        ConfigError: The file is missing, is not valid Jinja, lacks a block, or uses an unknown variable.
    """
    shown = file or name
    # The package's own prompts need no sandbox, whose checks take most of the time.
    environment_class = ImmutableSandboxedEnvironment if file else Environment
    environment = environment_class(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    try:
        source = Path(file).read_text(encoding="utf-8") if file else (_FOLDER / name).read_text(encoding="utf-8")
        unknown = sorted(meta.find_undeclared_variables(environment.parse(source)) - known.keys())
        template = environment.from_string(source)
    except (OSError, UnicodeError) as error:
        raise ConfigError(
            f"prompt {shown}: cannot be read ({type(error).__name__}); give the path of a Jinja file"
        ) from None
    except TemplateError as error:
        raise ConfigError(f"prompt {shown}: not a valid template ({type(error).__name__}: {error})") from None
    if unknown:
        raise ConfigError(f"prompt {shown}: unknown variable {unknown[0]!r}; known: {', '.join(sorted(known))}")
    missing = [b for b in BLOCKS if b not in template.blocks]
    if missing:
        raise ConfigError(
            f"prompt {shown}: block {missing[0]!r} is missing; a prompt has the blocks {', '.join(BLOCKS)}"
        )
    return PromptTemplate(shown, template, tuple(known))
