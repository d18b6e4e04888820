"""Jinja files with a `system`, a `prefix` and a `target` block -> the text of prompts.

The prefix block comes before the target and is the same for many requests, so that a server with a prefix cache
computes it once. Texts from the data are passed as values, never as template code. A user's own template has the same
blocks and is rendered in a sandbox. Every template gets plain data only, because a method of any other object would be
a way out of the sandbox.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template, TemplateError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedEnvironment
from pydantic import BaseModel

from axolotl_augft.errors import ConfigError

BLOCKS = ("system", "prefix", "target")
MARK = "\ue001"
"""Stands around a worked example where `with_marks` is rendered."""
_FOLDER = Path(__file__).parent / "prompts"
_PLAIN = frozenset((str, int, float, bool, type(None)))
# What a template of the user can raise while it runs. A security error of the sandbox is a TemplateError.
_FAILURES = (
    *(TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError),
    *(RecursionError, MemoryError),
)


@dataclass(frozen=True)
class PromptTemplate:
    """A parsed template.

    Attributes:
        name: File name of a template of the package, or path of a user's own.
        template: The compiled template.
        known: Variables that its blocks may use.
        parsed: The parsed source.
    """

    name: str
    template: Template
    known: tuple[str, ...]
    parsed: nodes.Template

    @cached_property
    def literals(self) -> tuple[str, ...]:
        """All text that stands in the template itself, also in strings, but not in its worked examples."""
        return tuple(_literals(self.parsed))

    def uses(self, variable: str) -> bool:
        """Whether a variable is used anywhere in the template."""
        return variable in meta.find_undeclared_variables(self.parsed)

    @cached_property
    def for_instructions(self) -> "PromptTemplate":
        """The template without its worked examples."""
        environment = self.template.environment
        parsed = deepcopy(self.parsed)
        for block in parsed.find_all(nodes.Block):
            block.body = [node for node in block.body if not _holds_examples(node)]
        return replace(self, template=environment.from_string(parsed), parsed=parsed)

    @cached_property
    def with_marks(self) -> "PromptTemplate | None":
        """The template with a `MARK` before and after each worked example; None for a user's own.

        The package's templates show each example as they would show it alone.
        """
        environment = self.template.environment
        if isinstance(environment, SandboxedEnvironment):
            return None
        parsed = deepcopy(self.parsed)
        for loop in parsed.find_all(nodes.For):
            if isinstance(loop.iter, nodes.Name) and loop.iter.name == "examples":
                loop.body = [_mark(), *loop.body, _mark()]
        return replace(self, template=environment.from_string(parsed), parsed=parsed)

    @cached_property
    def _given(self) -> dict[str, Any]:
        """Values for every block: None for each known variable."""
        return dict.fromkeys(self.known)

    def render(self, block: str, **values: Any) -> str:
        """Render one block, keeping the template's white space.

        Args:
            block: The name of the block.
            values: The variables; the template sees them as `plain_data`.

        Raises:
            ConfigError: The template fails on these values.
        """
        given = {name: plain_data(value) for name, value in values.items()}
        context = self.template.new_context({**self._given, **given}, shared=True)
        try:
            return "".join(self.template.blocks[block](context))
        except _FAILURES as error:
            raise ConfigError(
                f"prompt {self.name}: block {block} fails ({type(error).__name__}: {error}); correct the template"
            ) from None


def _mark() -> nodes.Node:
    return nodes.Output([nodes.TemplateData(MARK)])


def _holds_examples(node: nodes.Node) -> bool:
    """Whether a node is `{% with worked_examples = true %}`, which marks the examples in a template of the package."""
    return isinstance(node, nodes.With) and any(getattr(t, "name", "") == "worked_examples" for t in node.targets)


def _literals(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, nodes.TemplateData):
        yield node.data
    elif isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value
    elif not _holds_examples(node):
        for child in node.iter_child_nodes():
            yield from _literals(child)


@dataclass(frozen=True, slots=True)
class Plain:
    """A value that `plain_data` has returned, so that it need not be turned into plain data for each prompt.

    Attributes:
        data: The value, which no template may change: templates of users run in a sandbox that forbids it.
    """

    data: Any


def plain_data(value: Any) -> Any:
    """Turn a value into strings, numbers, lists and dicts; in a template, `example.text` reads a key of a dict.

    Raises:
        TypeError: The value, or a value in it, is of another kind. This is an error of the program, not of the user.
    """
    if type(value) in _PLAIN:
        return value
    if isinstance(value, Plain):
        return value.data
    if type(value) is tuple or type(value) is list:
        return [plain_data(inner) for inner in value]
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, BaseModel):
        return {name: plain_data(getattr(value, name)) for name in type(value).model_fields}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain_data(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {plain_data(key): plain_data(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [plain_data(inner) for inner in value]
    raise TypeError(f"a prompt got a value of type {type(value).__name__}, which is not plain data")


class _PackageEnvironment(Environment):
    """For the package's own templates, which read little else than keys of dicts."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Look for a key first: to find that a dict has no such attribute takes most of the time of a look-up."""
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


def load_prompt(name: str, file: str | None, known: Mapping[str, str]) -> PromptTemplate:
    """Load a user's prompt template, or the package's if there is none.

    Args:
        name: File name in the package's `prompts` folder.
        file: Path of a user's own template, or None.
        known: Variables that the blocks may use, each with a description.

    Raises:
        ConfigError: The file cannot be read, is not valid Jinja, lacks a block, or uses an unknown variable.
    """
    shown = file or name
    # The package's own prompts need no sandbox; its checks would take most of the rendering time.
    environment_class = ImmutableSandboxedEnvironment if file else _PackageEnvironment
    environment = environment_class(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    # Jinja's own functions (`range`, `lipsum` …) are no variables of a prompt, so nothing needs them.
    environment.globals.clear()
    try:
        source = Path(file).read_text(encoding="utf-8") if file else (_FOLDER / name).read_text(encoding="utf-8")
        parsed = environment.parse(source)
        unknown = sorted(meta.find_undeclared_variables(parsed) - known.keys())
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
    return PromptTemplate(shown, template, tuple(known), parsed)
