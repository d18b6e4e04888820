"""Text of unknown origin -> text that is safe to print: it can neither steer a terminal nor hide from the reader.

File names, a server's error messages, and what a teacher wrote all pass through `clean` before they are printed or
logged.
"""

import logging
import re
import unicodedata

# Escape sequences, including the text of those that set a title, a link or the clipboard; then any control character,
# lone surrogate, and line or paragraph separator.
_SEQUENCES = re.compile(r"(?:\x1b[\[(]|\x9b)[0-?]*[ -/]*[@-~]?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]+")
# The page of the report (assets/elements.js) holds the same lists.
# Signs of category Cf that have a shape or join letters: Arabic and Indic number signs, joiners of words and emoji.
_VISIBLE = re.compile(r"[\u200c\u200d\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd]")
# Invisible signs outside category Cf: fillers, supplementary variation selectors, and the like.
_INVISIBLE = re.compile(r"[\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\U000e0000-\U000e0fff]")


def clean(text: str) -> str:
    """Put a text on one line, without control characters, escape sequences, bidi overrides and invisible signs."""
    return _CONTROL.sub(" ", visible(_SEQUENCES.sub(" ", text))).strip()


def clean_lines(text: str) -> str:
    """Clean each line of a text; its line breaks stay."""
    return "\n".join(line[: len(line) - len(line.lstrip(" "))] + clean(line) for line in re.split(r"\r?\n|\r", text))


def visible(text: str) -> str:
    """Leave out what cannot be seen (Unicode category Cf, tag characters, fillers); control characters stay."""
    if text.isascii():
        return text
    return "".join(c for c in text if not _is_invisible(c))


def _is_invisible(sign: str) -> bool:
    if unicodedata.category(sign) == "Cf":
        return not _VISIBLE.match(sign)
    return _INVISIBLE.match(sign) is not None


class CleanLog(logging.Filter):
    """Cleans the message of each log record, which may hold a file's name or a server's words."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Clean the record, and let it pass."""
        record.msg, record.args = clean_lines(record.getMessage()), None
        return True


def clean_log(name: str) -> None:
    """Clean whatever the logger of that name logs, once however often this is called."""
    logger = logging.getLogger(name)
    if not any(isinstance(known, CleanLog) for known in logger.filters):
        logger.addFilter(CleanLog())
