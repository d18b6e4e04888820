"""The body and headers of an error response -> what the server says, and how long it wants us to wait.

A server's words are shown in errors only if they quote neither the prompt nor the key.
"""

import email.utils
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

_FILTER_CODES = {
    *("content_filter", "content_filtered", "content_policy_violation", "responsibleaipolicyviolation"),
    *("moderation_blocked", "data_inspection_failed", "datainspectionfailed", "safety", "prohibited_content"),
}
_CONTENT_FIELDS = {"flagged_input", "reasons"}
_CONTENT_WORDS = re.compile(
    r"(?i)moderat|flagged|usage (guidelines|polic)|content (violat|polic|filter)|safety[ _]check"
)
_NO_CREDIT = {
    *("insufficient_quota", "billing_hard_limit_reached", "insufficient_credits", "insufficient_balance"),
    *("billing_not_active", "billing_error", "credit_balance_too_low", "arrearage", "payment_required"),
    "exceeded_current_quota_error",
}
_BILLING_WORDS = re.compile(
    r"(?i)\bbilling\b|payment required|insufficient[ _](quota|credit|balance|fund)|credit balance|account balance"
    r"|(out of|no|not enough|insufficient|more|add) credits?\b|credits? (are |is |have been |has been )?"
    r"(exhausted|used up|depleted|expired)|exceeded your current quota|"
    r"(spend|spending|usage) limit|top up|prepaid|arrears"
)
_NAMED_STATUS = {
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "too_many_requests": 429,
    "resource_exhausted": 429,
    "overloaded_error": 529,
    "unavailable": 503,
}
_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
_QUOTED_CHARACTERS = 14
_QUOTED_CHARACTERS_UNSPACED = 4
_QUOTED_CHARACTERS_OF_KEY = 8
_EPOCH = 1e8


@dataclass(frozen=True, slots=True)
class ServerError:
    """What the body of an error says.

    Attributes:
        codes: Its code and type, in lower case.
        message: Its message, "" if it has none.
        status: The HTTP status that it names, None if it names none.
        about_content: Whether its fields say that the content of the request was the reason.
        retry_after: Seconds to wait that it names, None if it names none.
    """

    codes: tuple[str, ...] = ()
    message: str = ""
    status: int | None = None
    about_content: bool = False
    retry_after: float | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the body says nothing that could be shown or counted."""
        return not (self.codes or self.message or self.status)

    @property
    def filter_code(self) -> str | None:
        """The code that stands for a refusal by a content filter, None if there is none."""
        return next((code for code in self.codes if code in _FILTER_CODES), None)

    def refuses_content(self, own_words: bool) -> bool:
        """Whether a refused access (403) is about what the request holds.

        Args:
            own_words: Whether the message quotes the prompt, so that its words say nothing.
        """
        return self.about_content or bool(
            not own_words and _CONTENT_WORDS.search(" ".join((*self.codes, self.message)))
        )

    def is_about_credit(self, own_words: bool, may_pass: bool) -> bool:
        """Whether the account has no credit left.

        Args:
            own_words: As in `refuses_content`.
            may_pass: Whether the server names a time after which it answers again. Gemini speaks of billing when a
                limit per minute is reached.
        """
        if any(code in _NO_CREDIT for code in self.codes):
            return True
        return not own_words and not may_pass and bool(_BILLING_WORDS.search(self.message))


def error_of(content: bytes) -> ServerError:
    """Read the body of an error, in any of the forms that OpenAI-compatible servers use."""
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        return ServerError()
    if isinstance(body, list):
        body = body[0] if body else None
    if not isinstance(body, dict):
        return ServerError()
    error = body.get("error") or _error_of_choice(body) or ({} if body.get("choices") else body)
    if isinstance(error, str):
        return ServerError(_codes(body), error)
    if not isinstance(error, dict):
        return ServerError()
    metadata = error.get("metadata")
    return ServerError(
        _codes(error),
        _text(error.get("message")) or _text(error.get("detail")),
        _status(error),
        isinstance(metadata, dict) and bool(_CONTENT_FIELDS & metadata.keys()),
        _retry_delay(error),
    )


def has_error(content: bytes) -> bool:
    """Tell cheaply whether the body of a 200 response may hold an error beside its choices."""
    return b'"error"' in content


def _error_of_choice(body: dict[str, Any]) -> Any:
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first.get("error") if isinstance(first, dict) else None


def _codes(error: dict[str, Any]) -> tuple[str, ...]:
    values = (error.get(name) for name in ("code", "type", "status"))
    return tuple(str(v).lower() for v in values if isinstance(v, str | int) and not isinstance(v, bool) and v)


def _text(value: Any) -> str:
    """Return a message, which some servers give as a list of objects."""
    if isinstance(value, list):
        return "; ".join(str(v.get("msg") or v.get("message") or "") for v in value if isinstance(v, dict))
    return value if isinstance(value, str) else ""


def _status(error: dict[str, Any]) -> int | None:
    for code in (*_codes(error), str(error.get("status_code"))):
        if code.isdecimal() and 400 <= int(code[:4]) <= 599:
            return int(code)
        if code in _NAMED_STATUS:
            return _NAMED_STATUS[code]
    return None


def _retry_delay(error: dict[str, Any]) -> float | None:
    """Return the `retryDelay` of Gemini's list of details, in seconds."""
    details = error.get("details")
    for item in details if isinstance(details, list) else []:
        if isinstance(item, dict) and (seconds := duration(item.get("retryDelay"))) is not None:
            return seconds
    return None


def duration(value: Any) -> float | None:
    """Return the seconds of a duration: `34.5s`, `6m0s`, `20ms`, a number of seconds, or a time since 1970."""
    text = str(value).strip().lower() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    try:
        number = float(text)
    except ValueError:
        parts = _DURATION.fullmatch(text)
        if not text or parts is None:
            return None
        return sum(float(n) * unit for n, unit in zip(parts.groups("0"), (3600, 60, 1, 0.001), strict=True))
    if not 0 <= number < float("inf"):
        return None
    if number > _EPOCH:
        number = max(0.0, number / (1000 if number > _EPOCH * 1000 else 1) - time.time())
    return number


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that `Retry-After` or `Retry-After-Ms` ask to wait; None without a valid one."""
    milliseconds = duration(headers.get("Retry-After-Ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
        return max(0.0, seconds) if seconds < float("inf") else None
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True, slots=True)
class Quota:
    """What a response's `x-ratelimit-*` headers say of the requests that are still allowed.

    Attributes:
        remaining: Requests that the server would take now.
        reset: Seconds until it takes more.
    """

    remaining: int
    reset: float


def quota(headers: Mapping[str, str]) -> Quota | None:
    """Read the `x-ratelimit-*` headers of a response; None if they do not name both numbers."""
    for remaining, reset in _quota_names():
        if (left := headers.get(remaining)) is not None:
            seconds = duration(headers.get(reset))
            return Quota(int(left), seconds) if left.isdecimal() and len(left) < 16 and seconds is not None else None
    return None


def _quota_names() -> Iterator[tuple[str, str]]:
    yield "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"
    yield "x-ratelimit-remaining", "x-ratelimit-reset"


def quotes_key(message: str, key: str) -> bool:
    """Tell whether a message repeats a key, or 8 characters of it in a row, which a masked key does not show.

    Only letters and digits are compared, and their case is ignored, so that no sign between them hides the key.
    """
    own, other = _letters_and_digits(key), _letters_and_digits(message)
    n = min(_QUOTED_CHARACTERS_OF_KEY, len(own))
    return n > 0 and any(own[i : i + n] in other for i in range(len(own) - n + 1))


def shown_code(code: object, key: str) -> str:
    """Return an error code as it may be shown; "" if it is no text or repeats the key."""
    if not isinstance(code, str) or quotes_key(code, key):
        return ""
    return "".join(c for c in code if c.isprintable())[:60]


def _letters_and_digits(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def quotes(message: str, prompt: str) -> bool:
    """Tell whether a message repeats a piece of a prompt: 14 characters in a row, or 4 if one of them is not ASCII.

    Only letters and digits are compared, and their case is ignored.
    """
    own, other = _letters_and_digits(message), _letters_and_digits(prompt)

    def repeats(n: int, plain: bool) -> bool:
        pieces = (own[i : i + n] for i in range(len(own) - n + 1))
        return any(piece in other for piece in pieces if plain or not piece.isascii())

    return repeats(_QUOTED_CHARACTERS, plain=True) or repeats(_QUOTED_CHARACTERS_UNSPACED, plain=False)
