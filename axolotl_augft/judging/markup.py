"""A text -> whether it has markup or characters that belong to no statement; and an answer without its thinking.

The client has already moved a block of thinking at the beginning of an answer to the answer's reasoning. What is left
here are further blocks, blocks in the markup of other models, and channels.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

_NAMES = r"(?:think|thinking|thoughts?|thought_process|reasoning|reflection|scratchpad|analysis|inner_monologue)"
_LEFT, _RIGHT = r"(?:[<‹＜]\|?|\[|◁)", r"(?:\|?[>›＞]|\]|▷)"
_THOUGHT = re.compile(
    rf"{_LEFT}(?P<end>/|end_of_|end_)?(?:begin_of_|start_)?(?:[a-z]{{1,12}}:)?{_NAMES}{_RIGHT}", re.IGNORECASE
)
_CHANNEL = re.compile(r"<\|(?:channel|message|start|begin_of_solution)\|>", re.IGNORECASE)
_FINAL = re.compile(
    r"<\|channel\|>[ \t]{0,4}final(?:[ \t][^<>|\n]{0,40})?(?:<\|constrain\|>\w{0,20})?<\|message\|>"
    r"|<\|begin_of_solution\|>",
    re.IGNORECASE,
)
_END_OF_MESSAGE = re.compile(r"<\|(?:end|return|call|end_of_solution)\|>", re.IGNORECASE)
# What is left of channels if the server removes special tokens from its text.
_BARE_CHANNEL = re.compile(r"(?:analysis|commentary)(?=[A-Z])")
_BARE_FINAL = "assistantfinal"
_BEFORE, _AFTER = re.compile(r"(?:\A|\n)[ \t]*\Z"), re.compile(r"[ \t]{0,8}(?:\n|\Z)")

# &lt; and the like, and a link or picture of Markdown.
_ENTITY_OR_LINK = re.compile(r"&(?:[a-z]{2,8}|#\d{1,6}|#x[0-9a-f]{1,6});|\]\([^()\s]{1,200}\)", re.IGNORECASE)
_TOKEN = re.compile(
    r"[<‹＜][ ]?[|｜][^|｜<>‹›＜＞]{1,60}[|｜][ ]?[>›＞]|</?s>|<</?SYS>>|<(?:bos|eos|pad|unk|mask|sop|eop)>"
    r"|<(?:start|end)_of_\w{1,20}>|<(?:extra_id_|unused|reserved_)\d{1,6}>|<0x[0-9A-Fa-f]{2}>|</?tool_\w{1,20}>|▁"
    r"|\[/?(?:INST|IMG|THINK|[A-Z]{2,12}(?:_[A-Z]{2,12}){1,3})\]|\[[gs]MASK\]"
)
# Tags and words in brackets that look like some model's tokens; a text about them has them in its premises.
_TOKEN_LIKE = re.compile(r"</?[A-Za-z][\w:.-]{0,40}[ ]?/?>|\[/?[A-Z]{3,20}\]")
_BRACES = ("{{", "{%")
_SHORTEST_TOKEN = 3

# Control characters, surrogates, private use, unassigned code points, separators of lines and paragraphs.
_ODD = ("Cc", "Cs", "Co", "Cn", "Zl", "Zp")
# Format characters (Cf) that languages need: joiners (Persian, Hindi, emoji), and signs that are printed before or
# around numbers (Arabic, Syriac, Kaithi) or part a Mongolian word.
_NEEDED = frozenset("\u200c\u200d\u180e\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd") | {
    chr(c) for c in range(0x600, 0x606)
}
# Harmless ones, which a statement may have if its premises have them: soft hyphens, marks of direction, word joiners.
_IF_GIVEN = frozenset("\u00ad\u200b\u200e\u200f\u061c\u2060\u2061\u2062\u2063\u2064\ufeff")
# The flags of England, Scotland and Wales are spelled with tag characters.
_FLAGS = tuple(
    "\U0001f3f4" + "".join(chr(0xE0000 + ord(c)) for c in name) + "\U000e007f" for name in ("gbeng", "gbsct", "gbwls")
)


def without_thinking(text: str, premises: Sequence[str] = ()) -> str:
    """Remove thinking from an answer; "" if nothing else is in it.

    A block counts only where it begins a line, and not at all if the premises speak of such markup: then the markup
    may belong to a statement, and a statement with markup is rejected as a whole.

    Args:
        text: The answer.
        premises: The texts that its statements are about.
    """
    return text if _speak_of_thinking(tuple(premises)) else _without_blocks(_final_channel(text)).strip()


@lru_cache(maxsize=64)
def _speak_of_thinking(premises: tuple[str, ...]) -> bool:
    return any(_THOUGHT.search(premise) or _CHANNEL.search(premise) for premise in premises)


def _final_channel(text: str) -> str:
    """Return what the final channel holds; the whole text if it has no channels."""
    if _BARE_FINAL in text or _BARE_CHANNEL.match(text.lstrip()):
        return text.rpartition(_BARE_FINAL)[2] if _BARE_FINAL in text else ""
    if not _CHANNEL.search(text):
        return text
    starts = [m.end() for m in _FINAL.finditer(text)]
    if not starts:
        return ""
    end = _END_OF_MESSAGE.search(text, starts[-1])
    return text[starts[-1] : end.start() if end else len(text)]


def _without_blocks(text: str) -> str:
    """Remove blocks of thinking. One without an end takes the rest of the text, one without a beginning all before."""
    kept: list[str] = []
    at = 0
    opened: int | None = None
    for mark in _THOUGHT.finditer(text):
        if mark["end"] is None:
            if opened is None and _BEFORE.search(text[max(0, mark.start() - 8) : mark.start()]):
                opened = mark.start()
        elif opened is not None:
            kept.append(text[at:opened])
            at, opened = mark.end(), None
        elif _AFTER.match(text, mark.end()):
            kept.clear()
            at = mark.end()
    return "".join([*kept, text[at : len(text) if opened is None else opened]])


def worth_finding(tokens: Iterable[str]) -> tuple[str, ...]:
    """Reduce the special tokens of a tokenizer to those that `has_tokens` must be told of.

    Those that any model may have are found anyway, and a token that is an ordinary word or sign is no error in a text.
    """
    return tuple(
        sorted(
            {
                token
                for token in tokens
                if len(token) >= _SHORTEST_TOKEN
                and not token.isalnum()
                and not token.isspace()
                and any(c.isalnum() for c in token)
                and not _TOKEN.fullmatch(token)
            }
        )
    )


def has_tokens(text: str, special: Sequence[str] = ()) -> bool:
    """Whether a text has special tokens of some model.

    Args:
        text: The text to check.
        special: Further special tokens: the student's.
    """
    return bool(_TOKEN.search(text) or _THOUGHT.search(text)) or any(token in text for token in special)


def has_markup(text: str, premises: Sequence[str]) -> bool:
    """Whether a text has template braces, character entities or links that its premises do not have."""
    found = [b for b in _BRACES if b in text] + [m.group() for m in _ENTITY_OR_LINK.finditer(text)]
    return any(not any(b in p for p in premises) for b in found)


def has_token_like(text: str, premises: Sequence[str]) -> bool:
    """Whether a text has tags or words in brackets that look like tokens, and that its premises do not have."""
    return any(not any(m.group() in p for p in premises) for m in _TOKEN_LIKE.finditer(text))


def has_odd_characters(text: str, allowed: str = "", premises: Sequence[str] = ()) -> bool:
    """Whether a text has characters that do not belong in text, such as control or invisible characters.

    Args:
        text: The text to check.
        allowed: Control characters that may occur.
        premises: The texts that it is about.
    """
    if "\ufffd" in text:
        return True
    if text.isprintable():
        return False
    for flag in _FLAGS:
        text = text.replace(flag, "")
    return any(_is_odd(c, premises) for c in set(text) - set(allowed))


def _is_odd(character: str, premises: Sequence[str]) -> bool:
    category = unicodedata.category(character)
    if category != "Cf":
        return category in _ODD
    if character in _NEEDED:
        return False
    return character not in _IF_GIVEN or not any(character in p for p in premises)
