"""The `probe:` block and the teacher -> whose server the student is asked at, and what is said if that fails."""

from collections.abc import Iterator
from contextlib import contextmanager

from axolotl_augft.config.probe import ProbeConfig
from axolotl_augft.errors import ConfigError, TeacherError
from axolotl_augft.teacher.teacher import Teacher

_REMEDY = "say in augft.probe.student how it is served, as in augft.teacher, or remove augft.probe"


def is_the_teacher(config: ProbeConfig, teacher: Teacher, base_model: str) -> bool:
    """Tell whether the teacher is the student, so that one server does for both."""
    return config.student is None and teacher.model == base_model


@contextmanager
def student_errors(student: Teacher, teacher: Teacher) -> Iterator[None]:
    """Say of an error of the student's server that it is not the teacher's, unless that is the same.

    Raises:
        TeacherError: The student cannot be asked.
        ConfigError: Likewise, because of a setting, such as a key that is not there.
    """
    try:
        yield
    except (TeacherError, ConfigError) as error:
        if student is teacher:
            raise
        # The server's messages are the same for all models; the keys to look at are the student's.
        told = str(error).replace("augft.teacher", "augft.probe.student").replace("the teacher's", "the student's")
        raise type(error)(f"augft.probe: the student {student.model} cannot be asked; {_REMEDY} ({told})") from error
