"""Options of `bench make` -> which questions that need two passages to make, with the teacher opened."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from axolotl_augft.bench.datasets.squad.two_passages import TwoPassagesWanted
from axolotl_augft.bench.served.asking import ServerOptions, asking, served_model
from axolotl_augft.config.teacher import TeacherConfig
from axolotl_augft.errors import BenchError
from axolotl_augft.store.responses import ResponseStore

STORE = "two-passages.sqlite"
"""File in the data set's folder that keeps the teacher's answers."""
_LOG = "two-passages.log"
_TEMPERATURE = 0.7
_OPTIONS = ServerOptions("--teacher-url", "--teacher-model", "--teacher-key-env")


def teacher_config(base_url: str | None, model: str | None, api_key_env: str | None) -> TeacherConfig | None:
    """Return the settings of a teacher that proposes and tries questions; None if nothing is set.

    Raises:
        ConfigError: Only the server or only the model is named, or a setting is not valid.
    """
    return served_model(base_url, model, api_key_env, _TEMPERATURE, _OPTIONS)


@contextmanager
def wanted_two_passages(
    wanted: bool, teacher: TeacherConfig | None, proposals: int, folder: Path
) -> Iterator[TwoPassagesWanted | None]:
    """Open the teacher, if there is one; yields None if no questions that need two passages are wanted.

    Args:
        wanted: Whether they are.
        teacher: Names the teacher's server.
        proposals: Proposals wanted for each pair of passages.
        folder: The data set's folder, in which the teacher's answers are kept: the same ones make the same data set.

    Raises:
        BenchError: A teacher is named, but no such questions are wanted.
        AugftError: The teacher's key or the store cannot be used.
    """
    if not wanted:
        if teacher:
            raise BenchError("--teacher-url: a teacher proposes questions that need two passages; add --two-passages")
        yield None
    elif teacher is None:
        yield TwoPassagesWanted()
    else:
        with ResponseStore.opened(folder / STORE) as store, asking(teacher, store, folder / _LOG) as ask:
            yield TwoPassagesWanted(ask, proposals)
