"""A finished round of requests -> a record in the response store, which shows reuse and the teacher's speed."""

from dataclasses import astuple, dataclass
from datetime import UTC, datetime

from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.teacher.spending import Spent

_COLUMNS = "ended, teacher, requests, asked, seconds, completion_tokens, nanodollars"


@dataclass(frozen=True)
class LoggedRound:
    """One round of requests.

    Attributes:
        ended: When it ended: UTC, ISO 8601, to the second.
        teacher: The teacher's id.
        requests: Requests that the store had an answer for, and those in `asked`.
        asked: Requests that were sent and finished, with an answer or with none after all retries.
        seconds: How long the round took; 0 through a Batch API, where it says nothing about the teacher's speed.
        completion_tokens: Tokens of the round's answers, as far as they report them.
        nanodollars: Cost of the round's answers in 10^-9 dollars, as far as it is known.
    """

    ended: str
    teacher: str
    requests: int
    asked: int
    seconds: float
    completion_tokens: int
    nanodollars: int

    @classmethod
    def of(cls, teacher_id: str, requests: int, asked: int, seconds: float, spent: Spent) -> "LoggedRound":
        """Make the record of a round that ends now; `spent` covers the answers to the requests asked."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(now, teacher_id, requests, asked, round(seconds, 3), spent.completion_tokens, spent.nanodollars)


def log_round(store: ResponseStore, run: LoggedRound) -> None:
    """Append a round to the log."""
    with store.writing() as db:
        db.execute(f"INSERT INTO runs ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", astuple(run))


def logged_rounds(store: ResponseStore) -> list[LoggedRound]:
    """Return all rounds, oldest first."""
    return [LoggedRound(*row) for row in store.rows(f"SELECT {_COLUMNS} FROM runs ORDER BY rowid")]
