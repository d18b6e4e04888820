"""A teacher's prompt -> what it asks for, parsed from the package's own templates for a teacher that is no LLM."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_LOCAL_CHAT, _LOCAL_COMPLETIONS = "Now these sentences:\n", "\nText:\n"
_GLOBAL_CHAT, _GLOBAL_COMPLETIONS = "\nNow think about the document [", "\nChosen:\n["
_VERIFY_CHAT, _VERIFY_COMPLETIONS = "If the text is true, must the statement be true too", "\nFollows:"
_TOGETHER_CHAT, _TOGETHER_COMPLETIONS = "Can both sentences be true at the same time? Answer yes or no.", "\nBoth:"
_ALONE_CHAT, _ALONE_COMPLETIONS = "\nAnswer: no\nStatement: ", "\nUnderstood:"
_LABEL = re.compile(r"^\[[0-9a-f]{8}\] ", re.MULTILINE)
_KINDS_CHAT = re.compile(r"^- .*?\b(rephrasing|reversal|consequence)s?\b", re.MULTILINE)
_KINDS_COMPLETIONS = re.compile(r"\((rephrasing|reversal|consequence)\)")
_LEAD_INS = {"\nThat is to say:": "rephrasing", "\nIn other words:": "reversal", "\nSo:": "consequence"}
_PREMISES_CHAT = re.compile(r"Text:\n(.*)\n\nStatement: (.*?)\n\nIf the text is true", re.DOTALL)
_PREMISES_COMPLETIONS = re.compile(r"Text: (.*)\nStatement: (.*)\nFollows:$", re.DOTALL)


class UnreadablePrompt(ValueError):
    """The prompt is not one of the package's own."""


@dataclass(frozen=True)
class LocalPrompt:
    """Asks for statements about sentences.

    Attributes:
        kinds: Kinds of statements asked for.
        alone: Whether it asks for one kind about one sentence, so that the answer is the bare statement.
    """

    sentences: tuple[str, ...]
    kinds: tuple[str, ...]
    alone: bool


@dataclass(frozen=True)
class GlobalPrompt:
    """Asks for a trace and conclusions about the target, one of the documents."""

    documents: tuple[str, ...]
    target: str


@dataclass(frozen=True)
class VerifyPrompt:
    """Asks whether the statement follows from the premises."""

    premises: str
    statement: str


@dataclass(frozen=True)
class AlonePrompt:
    """Asks whether a statement can be understood alone; those of the made data sets can."""


@dataclass(frozen=True)
class TogetherPrompt:
    """Asks whether two sentences can both be true; what an oracle and its documents say can."""


def read_prompt(prompt: str) -> LocalPrompt | GlobalPrompt | VerifyPrompt | AlonePrompt | TogetherPrompt:
    """Parse one of the package's own prompts.

    Args:
        prompt: Text of a completions prompt, or of the user message of a chat request.

    Raises:
        UnreadablePrompt: It is not one of the package's own prompts.
    """
    if _TOGETHER_CHAT in prompt or prompt.endswith(_TOGETHER_COMPLETIONS):
        return TogetherPrompt()
    if _VERIFY_CHAT in prompt or prompt.endswith(_VERIFY_COMPLETIONS):
        return _read_verify(prompt)
    if _ALONE_CHAT in prompt or prompt.endswith(_ALONE_COMPLETIONS):
        return AlonePrompt()
    if _GLOBAL_CHAT in prompt or _GLOBAL_COMPLETIONS in prompt and prompt.endswith("\nReasoning:\n"):
        return _read_global(prompt)
    if _LOCAL_CHAT in prompt or _LOCAL_COMPLETIONS in prompt:
        return _read_local(prompt)
    for lead_in, kind in _LEAD_INS.items():
        if prompt.endswith(lead_in):
            return LocalPrompt((prompt.removesuffix(lead_in).rpartition("\n")[2],), (kind,), alone=True)
    raise UnreadablePrompt("neither a local, a global nor a verification prompt of this package")


def _read_local(prompt: str) -> LocalPrompt:
    chat = _LOCAL_CHAT in prompt
    instructions, asked = prompt.rsplit(_LOCAL_CHAT if chat else _LOCAL_COMPLETIONS, 1)
    kinds = (
        _KINDS_CHAT.findall(instructions.split("\nRules:")[0])
        if chat
        else _KINDS_COMPLETIONS.findall(instructions.split("\n")[0])
    )
    numbered, found, _ = asked.rpartition("\nStatements:")
    sentences = _numbered("\n" + numbered)
    if not found or not kinds or not sentences:
        raise UnreadablePrompt("a local prompt without kinds of statements or without numbered sentences")
    return LocalPrompt(sentences, tuple(dict.fromkeys(kinds)), alone=False)


def _numbered(text: str) -> tuple[str, ...]:
    """Sentences "[1] …", "[2] …" of a text; a sentence may have several lines."""
    sentences: list[str] = []
    _, found, rest = text.partition("\n[1] ")
    while found:
        sentence, found, rest = rest.partition(f"\n[{len(sentences) + 2}] ")
        sentences.append(sentence.strip())
    return tuple(sentences)


def _read_global(prompt: str) -> GlobalPrompt:
    if _GLOBAL_CHAT in prompt:
        shown, asked = prompt.rsplit(_GLOBAL_CHAT, 1)
        target = asked.split("]:\n", 1)[-1].split("\n\nLook for other documents", 1)[0]
    else:
        shown, asked = prompt.rsplit(_GLOBAL_COMPLETIONS, 1)
        target = asked.split("] ", 1)[-1].removesuffix("\nReasoning:\n")
    documents = _labelled(shown)
    if target.strip() not in documents:
        raise UnreadablePrompt("a global prompt whose chosen document is not among its documents")
    return GlobalPrompt(documents, target.strip())


def _labelled(text: str) -> tuple[str, ...]:
    """Documents "[1a2b3c4d] …" of a text; the labels in worked examples are shorter."""
    labels = list(_LABEL.finditer(text))
    ends: Sequence[int] = [*(m.start() for m in labels[1:]), len(text)]
    return tuple(text[m.end() : end].strip() for m, end in zip(labels, ends, strict=True))


def _read_verify(prompt: str) -> VerifyPrompt:
    chat = _VERIFY_CHAT in prompt
    text = prompt if chat else "Text: " + prompt.rpartition("\nText: ")[2]
    match = (_PREMISES_CHAT if chat else _PREMISES_COMPLETIONS).search(text)
    if match is None:
        raise UnreadablePrompt("a verification prompt without text or statement")
    return VerifyPrompt(match[1].strip(), match[2].strip())
