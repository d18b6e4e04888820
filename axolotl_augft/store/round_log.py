"""What runs asked, kept in the response store: how often it was of use, and how fast and long-winded a teacher is."""

from dataclasses import astuple, dataclass
from datetime import UTC, datetime

from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.teacher.spending import Spent

_COLUMNS = "ended, teacher, requests, asked, seconds, completion_tokens, nanodollars"


@dataclass(frozen=True)
class LoggedRound:
    """One round of requests.

    `requests`: those that came to an end. `asked`: those of them that the store did not answer. `ended`: UTC.
    `seconds`: 0 through a Batch API, where they say nothing of the teacher. Tokens and nanodollars: of the answers that
    say them.
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
        """A round that ends now."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(now, teacher_id, requests, asked, round(seconds, 3), spent.completion_tokens, spent.nanodollars)


def log_round(store: ResponseStore, run: LoggedRound) -> None:
    """Adds a round."""
    with store.writing() as db:
        db.execute(f"INSERT INTO runs ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", astuple(run))


def logged_rounds(store: ResponseStore) -> list[LoggedRound]:
    """All rounds, the oldest first."""
    return [LoggedRound(*row) for row in store.rows(f"SELECT {_COLUMNS} FROM runs ORDER BY rowid")]
