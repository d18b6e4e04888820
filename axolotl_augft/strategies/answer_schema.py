"""Kinds of augmentations -> the JSON schema that a teacher's question-and-answer pairs must match."""

from collections.abc import Sequence
from typing import Any


def response_format(kinds: Sequence[str]) -> dict[str, Any]:
    """Build the OpenAI `response_format` field that requests a JSON object holding a list of pairs.

    Args:
        kinds: Values that a pair's `kind` may take.

    Returns:
        A fragment of the request body with the single key `response_format`.
    """
    text = {"type": "string"}
    pair = {
        "type": "object",
        "properties": {"kind": {"type": "string", "enum": list(kinds)}, "question": text, "answer": text},
        "required": ["kind", "question", "answer"],
        "additionalProperties": False,
    }
    schema = {
        "type": "object",
        "properties": {"pairs": {"type": "array", "items": pair}},
        "required": ["pairs"],
        "additionalProperties": False,
    }
    return {
        "response_format": {"type": "json_schema", "json_schema": {"name": "pairs", "strict": True, "schema": schema}}
    }
