"""The JSON schema by which questions with their answers are asked for."""

from collections.abc import Sequence
from typing import Any


def response_format(kinds: Sequence[str]) -> dict[str, Any]:
    """The field of a request's body that asks for a JSON object with a list of pairs, in OpenAI's form."""
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
