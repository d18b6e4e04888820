"""Options of `bench make` -> which questions that need two passages to make, with the teacher opened."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from axolotl_augft.bench.datasets.squad.two_passages import TwoPassagesWanted
from axolotl_augft.bench.served.asking import ServerOptions, asking, served_model
from axolotl_augft.errors import BenchError
from axolotl_augft.store.responses import ResponseStore

STORE = "two-passages.sqlite"
"""File in the data set's folder that keeps the teacher's answers."""
_LOG = "two-passages.log"
_TEMPERATURE = 0.7
_OPTIONS = ServerOptions("--teacher-url", "--teacher-model", "--teacher-key-env")


@dataclass(frozen=True, slots=True)
class TwoPassagesOptions:
    """What the command line says about questions that need two passages.

    Attributes:
        wanted: Whether they are wanted.
        url: Server of a teacher that proposes and tries questions; None for no teacher.
        model: The name by which the server knows the teacher.
        key_env: Environment variable that holds the server's API key.
        proposals: Proposals wanted for each pair of passages.
    """

    wanted: bool
    url: str | None = None
    model: str | None = None
    key_env: str | None = None
    proposals: int = 1


@contextmanager
def wanted_two_passages(options: TwoPassagesOptions, folder: Path) -> Iterator[TwoPassagesWanted | None]:
    """Open the teacher, if there is one; yields None if no questions that need two passages are wanted.

    Args:
        options: Whether they are, and whom to ask.
        folder: The data set's folder, in which the teacher's answers are kept: the same ones make the same data set.

    Raises:
        BenchError: A teacher is named, but no such questions are wanted.
        ConfigError: Only the server or only the model is named, or a setting is not valid.
        AugftError: The teacher's key or the store cannot be used.
    """
    teacher = served_model(options.url, options.model, options.key_env, _TEMPERATURE, _OPTIONS)
    if not options.wanted:
        if teacher:
            raise BenchError("--teacher-url: a teacher proposes questions that need two passages; add --two-passages")
        yield None
    elif teacher is None:
        yield TwoPassagesWanted()
    else:
        with ResponseStore.opened(folder / STORE) as store, asking(teacher, store, folder / _LOG) as ask:
            yield TwoPassagesWanted(ask, options.proposals)
