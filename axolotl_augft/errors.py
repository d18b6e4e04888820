"""Errors a user can act on: one line each, which says where, the value, what was expected and what to do.

AugftError
├── ConfigError          the YAML: a key, a value, a combination
├── SourceError          the user's rows or files
├── TeacherError         the server does not do what is asked
│   ├── TeacherRefusedAccess   401, 403, no credit
│   ├── TeacherUnreachable     no connection, or it went away
│   └── TeacherServerFailed    a managed server that died or never got healthy
├── BudgetReached        a limit on dollars or requests ended the run; everything answered is stored
├── StoreError           the response store cannot be opened or written
├── OutputError          the output folder or the temporary one cannot be written, or nothing came out
├── WaitingFailed        another process of this launch failed, or never finished
└── BenchError           a suite, a data set of questions or a result of `axolotl augft bench` cannot be used

No message quotes row text or a secret: axolotl's telemetry sends exception texts.
"""


class AugftError(RuntimeError):
    """Base of every error that the stage raises on purpose."""


class ConfigError(AugftError):
    """A key, a value or a combination in the recipe cannot work."""


class SourceError(AugftError):
    """A data set entry or its rows cannot be used."""


class TeacherError(AugftError):
    """The teacher's server does not do what is asked."""


class TeacherRefusedAccess(TeacherError):
    """The server answered 401 or 403, or that the account has no credit."""


class TeacherUnreachable(TeacherError):
    """No connection to the server, or it stopped answering."""


class TeacherServerFailed(TeacherError):
    """A server that the stage started died or never became healthy."""


class BudgetReached(AugftError):
    """`max_cost_usd` or `max_requests` leaves no room for another request."""


class StoreError(AugftError):
    """The response store cannot be opened, read or written."""


class OutputError(AugftError):
    """The output folder or the temporary one cannot be written, or there is nothing to write."""


class NothingAccepted(OutputError):
    """Answers came, but none of their statements was accepted."""


class WaitingFailed(AugftError):
    """The process that runs the stage for this launch failed or never finished."""


class BenchError(AugftError):
    """A suite, a data set with questions or a result of the benchmarks cannot be used."""
