"""Errors that a user can act on: one line each, with the key or row, the value, what was expected and what to do.

AugftError
├── ConfigError          a key, a value or a combination of them in the recipe
├── SourceError          the user's rows or files
├── TeacherError         the teacher's server rejects or mishandles requests
│   ├── TeacherRefusedAccess   401, 402, 403, 407 from a proxy, no credit
│   ├── TeacherUnreachable     no connection, or the server stopped answering
│   └── TeacherServerFailed    a managed server did not start, died or never became healthy
├── BudgetReached        a limit on dollars or requests ended the run; every answer is stored
├── StoreError           the response store cannot be opened, read or written
├── OutputError          the output or temporary folder cannot be written, or there is no result
│   └── NothingAccepted        no statement was accepted
├── WaitingFailed        another process that this one waits for failed, or did not finish in time
├── WorkerFailed         a worker process ended, or ran out of memory; every answer is stored
└── BenchError           a suite, question data set or result of `axolotl augft bench` cannot be used

No message quotes row text or a secret, because axolotl's telemetry sends the text of exceptions.
"""


class AugftError(RuntimeError):
    """Base class of every error that the stage raises deliberately."""

    def __str__(self) -> str:
        """Return the message without anything that steers a terminal: it may hold a file's name or a server's words."""
        # Imported here, so that a config without an `augft:` block costs no further module.
        from axolotl_augft.text.terminal import clean_lines

        return clean_lines(super().__str__())


class ConfigError(AugftError):
    """A key, a value or a combination of settings in the recipe cannot work."""


class SourceError(AugftError):
    """A data set entry or its rows cannot be used."""


class TeacherError(AugftError):
    """The teacher's server rejects or mishandles requests."""


class TeacherRefusedAccess(TeacherError):
    """The server answered 401, 402 or 403 or reported that credit ran out, or a proxy wants a password (407)."""


class TeacherUnreachable(TeacherError):
    """The server cannot be connected to, or stopped answering."""


class TeacherServerFailed(TeacherError):
    """A managed server could not be started, died, or did not become healthy in time."""


class BudgetReached(AugftError):
    """`max_cost_usd` or `max_requests` leaves no room for another request; every answer so far is stored."""


class StoreError(AugftError):
    """The response store cannot be opened, read or written."""


class OutputError(AugftError):
    """The output folder or the temporary folder cannot be written, or there is no result to write or show."""


class NothingAccepted(OutputError):
    """The teacher answered, but none of its statements was accepted."""


class WaitingFailed(AugftError):
    """A process that this one waits for, of the same launch or of another run, failed or did not finish in time."""


class WorkerFailed(AugftError):
    """A worker process (`augft.workers`) ended, or ran out of memory; every answer is stored."""


class BenchError(AugftError):
    """A suite, a question data set or a result of `axolotl augft bench` cannot be used."""
