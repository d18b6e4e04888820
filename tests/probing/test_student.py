from types import SimpleNamespace

import pytest

from axolotl_augft.errors import TeacherError
from axolotl_augft.probing.student import student_errors

TEACHER, STUDENT = SimpleNamespace(model="large"), SimpleNamespace(model="small")
UNREACHABLE = "the teacher's server at 127.0.0.1:9 cannot be reached; check augft.teacher.base_url"


def test_an_error_of_the_students_server_names_the_students_key():
    with pytest.raises(TeacherError) as error, student_errors(STUDENT, TEACHER):
        raise TeacherError(UNREACHABLE)
    assert str(error.value) == (
        "augft.probe: the student small cannot be asked; say in augft.probe.student how it is served, as in "
        "augft.teacher, or remove augft.probe (the student's server at 127.0.0.1:9 cannot be reached; check "
        "augft.probe.student.base_url)"
    )


def test_an_error_of_a_teacher_that_is_the_student_stays_as_it_is():
    with pytest.raises(TeacherError) as error, student_errors(TEACHER, TEACHER):
        raise TeacherError(UNREACHABLE)
    assert str(error.value) == UNREACHABLE
