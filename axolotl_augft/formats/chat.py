"""Axolotl's `type: chat_template`: a column of messages, with whatever names its keys and roles have.

An augmentation is a new single exchange, after the source's system prompt. Earlier turns of a longer conversation are
shown to the teacher, which is asked for questions that can be understood without them; they are not repeated in the new
row, because every one of its rows would train their answers once more. The new messages are copies of the source's last
question and answer with other contents, so that names, flags and types of their keys stay; what belongs to the old
answer (thinking, tool calls, training details) is taken out.
"""

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from axolotl_augft.errors import SourceError
from axolotl_augft.formats.content import Augmentation, Content, Exchange, Turn, Unfit

_ROLES = {
    "human": "user",
    "user": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "system": "system",
    "tool": "tool",
}
_THINKING = "reasoning_content"
_SYSTEM = ("system", "developer")
_THOUGHT = re.compile(
    r"\A\s*(?:<think>.*?</think>|<reasoning>.*?</reasoning>|<\|begin_of_thought\|>.*?<\|end_of_thought\|>)\s*",
    re.DOTALL,
)
_SOLUTION = re.compile(r"<\|begin_of_solution\|>(?P<text>.*)<\|end_of_solution\|>", re.DOTALL)
_PART_TEXTS = ("text", "content", "value")
_MEDIA = ("images", "image", "audio", "audios", "video", "videos")


@dataclass(frozen=True)
class ChatFormat:
    """Messages of a row.

    `messages` and `system`: columns (the latter for conversations that do not begin with a system prompt). `role`,
    `content`: keys of a message. `roles`: the roles of the data, and what they mean. `thinking`: keys that hold the
    thinking before an answer. `details`: keys that say which characters of a message are trained on. `training`: the
    key that says whether a message is.
    """

    messages: str = "messages"
    role: str = "role"
    content: str = "content"
    roles: Mapping[str, str] = field(default_factory=lambda: _ROLES)
    thinking: frozenset[str] = frozenset({_THINKING})
    details: frozenset[str] = frozenset()
    training: str | None = None
    system: str = "system"

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any]) -> "ChatFormat":
        """The format that a data set entry's keys describe."""
        mappings = entry.get("message_property_mappings") or {}
        template_key = entry.get("template_thinking_key") or _THINKING
        thinking = {template_key, entry.get("field_thinking") or _THINKING, mappings.get(template_key) or _THINKING}
        details = entry.get("message_field_training_detail")
        return cls(
            messages=entry.get("field_messages") or "messages",
            role=mappings.get("role") or "role",
            content=mappings.get("content") or "content",
            roles={source: target for target, sources in entry["roles"].items() for source in sources}
            if entry.get("roles")
            else _ROLES,
            thinking=frozenset(thinking),
            details=frozenset({details} if details else ()),
            training=entry.get("message_field_training"),
        )

    @property
    def writes(self) -> Literal["questions"]:
        """A question with its answer."""
        return "questions"

    @property
    def told_by(self) -> tuple[str, ...]:
        """The messages, and what is shown beside them."""
        return (self.messages, *_MEDIA)

    def check_columns(self, columns: list[str], where: str) -> None:
        """Raises SourceError if the column of messages is missing, naming the columns that are there."""
        if self.messages not in columns:
            raise SourceError(
                f"{where}: no column {self.messages!r}; the columns are {', '.join(columns)}. Name the messages with "
                f"`field_messages:`"
            )

    def read(self, row: Mapping[str, Any]) -> Content:
        """The last exchange, with the turns before it."""
        messages = self._messages(row)
        if isinstance(messages, Unfit):
            return messages
        roles = [self._role(m) for m in messages]
        unknown = sorted({str(m.get(self.role)) for m, r in zip(messages, roles, strict=True) if r is None})
        if unknown:
            return Unfit(f"unknown role {unknown[0][:20]!r}; say what it means under `roles:`", trainable=True)
        if "assistant" not in roles:
            return Unfit("no assistant turn", trainable=False)
        if any(m.get(self.content) is None for m, r in zip(messages, roles, strict=True) if r in ("user", *_SYSTEM)):
            return Unfit(f"a question or system prompt has no {self.content!r}", trainable=False)
        if any(row.get(column) for column in _MEDIA) or any(_text(m.get(self.content)) is None for m in messages):
            return Unfit("it has images or sound, which the teacher does not see", trainable=True)
        return self._last_exchange(messages, [str(r) for r in roles], row)

    def row(self, source: Mapping[str, Any], augmentation: Augmentation) -> dict[str, Any]:
        """The source row with a new exchange for its messages."""
        messages = self._messages(source)
        assert not isinstance(messages, Unfit), "a row that cannot be read is not augmented"
        roles = [self._role(m) for m in messages]
        system = messages[:1] if roles[0] in _SYSTEM else []
        new = [*system, self._with(messages[_last(roles, "user")], augmentation.question or "")]
        answer = messages[_last(roles, "assistant")]
        new.append(answer if augmentation.keeps_answer else self._with(answer, augmentation.text))
        return {**source, self.messages: _as_stored(new, source[self.messages])}

    def _messages(self, row: Mapping[str, Any]) -> list[Mapping[str, Any]] | Unfit:
        """The messages; a column of JSON strings is read as axolotl reads it."""
        value = row[self.messages]
        if isinstance(value, str):
            try:
                value = orjson.loads(value)
            except orjson.JSONDecodeError:
                return Unfit(f"{self.messages!r} is a string, and not JSON", trainable=False)
        if not isinstance(value, list) or not value:
            return Unfit(f"{self.messages!r} holds no messages", trainable=False)
        if not all(isinstance(m, Mapping) and m.get(self.role) is not None for m in value):
            keys = sorted({str(key)[:20] for m in value if isinstance(m, Mapping) for key in m})
            there = f", but has {', '.join(keys[:6])}; name the role's key in message_property_mappings" if keys else ""
            return Unfit(f"a message has no {self.role!r}{there}", trainable=False)
        return value

    def _role(self, message: Mapping[str, Any]) -> str | None:
        """What the role means; one that the data set does not map may still be one that templates know."""
        role = str(message[self.role])
        return self.roles.get(role) or (role if role in ("user", "assistant", "tool", *_SYSTEM) else None)

    def _last_exchange(
        self, messages: Sequence[Mapping[str, Any]], roles: Sequence[str], row: Mapping[str, Any]
    ) -> Content:
        if roles[-1] != "assistant" or "user" not in roles:
            return Unfit("it does not end with an answer to a user", trainable=True)
        asked = _last(roles, "user")
        if any(m.get("tool_calls") or r == "tool" for m, r in zip(messages[asked:], roles[asked:], strict=True)):
            return Unfit("its last answer calls a tool, or rests on what one gave", trainable=True)
        if self.training and messages[-1].get(self.training) is False:
            return Unfit("its last answer is not trained on", trainable=True)
        question, answer = _text(messages[asked].get(self.content)), _text(messages[-1].get(self.content))
        if not question or not answer:
            return Unfit("its last question or answer is empty", trainable=bool(answer))
        system = _text(messages[0].get(self.content)) if roles[0] in _SYSTEM else row.get(self.system)
        between = [i for i in range(len(messages) - 1) if i != asked and roles[i] not in _SYSTEM]
        before = tuple(Turn(roles[i], text) for i in between if (text := _text(messages[i].get(self.content))))
        return Exchange(question, answer, before, system if isinstance(system, str) else "")

    def _with(self, message: Mapping[str, Any], text: str) -> dict[str, Any]:
        """A message like this one with another content, without what belonged to the old one."""
        gone = {*self.thinking, *self.details, "tool_calls", "tool_call_id"}
        kept = {k: v for k, v in message.items() if k not in gone}
        return {**kept, self.content: _like(message.get(self.content), text)}


def _last(roles: Sequence[str | None], role: str) -> int:
    return max(i for i, r in enumerate(roles) if r == role)


def _text(content: Any) -> str | None:
    """A message's text: "" where it has none, None where it is more than text (an image among its parts)."""
    if isinstance(content, list):
        parts = [_part_text(p) for p in content]
        return _without_thinking("".join(p for p in parts if p)) if None not in parts else None
    return _without_thinking(content) if isinstance(content, str) else "" if content is None else None


def _part_text(part: Any) -> str | None:
    """A part's text: "" for thinking (Magistral's format), None for what the teacher cannot see."""
    if not isinstance(part, Mapping) or part.get("type") not in (None, "text", "thinking"):
        return None
    if part.get("type") == "thinking":
        return ""
    return next((part[key] for key in _PART_TEXTS if isinstance(part.get(key), str)), None)


def _without_thinking(text: str) -> str:
    """The answer after thinking that stands in the text itself, in the marks that axolotl's `split_thinking` knows."""
    rest = _THOUGHT.sub("", text).strip()
    solution = _SOLUTION.fullmatch(rest)
    return solution["text"].strip() if solution else rest


def _like(old: Any, text: str) -> Any:
    """A content of the same type as the old one: a string, or a list of one text part."""
    if not isinstance(old, list):
        return text
    key = next((k for part in old for k in _PART_TEXTS if isinstance(part.get(k), str)), "text")
    return [{**({"type": "text"} if "type" in old[0] else {}), key: text}]


def _as_stored(messages: Sequence[Mapping[str, Any]], old: Any) -> Any:
    """The messages as the source's column holds them: a list, or a string of JSON."""
    return orjson.dumps(list(messages)).decode() if isinstance(old, str) else copy.deepcopy(list(messages))
