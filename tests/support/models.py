"""A resolved model without a server, to make requests with."""

from axolotl_augft.config.teacher import TeacherConfig
from axolotl_augft.teacher.teacher import Teacher
from axolotl_augft.text.tokens import ESTIMATE


def model(api: str = "chat", seed: int = 1, **config) -> Teacher:
    return Teacher(
        TeacherConfig(base_url="http://localhost:1/v1", **config), "endpoint", "m", "m", api, 4, ESTIMATE, None, seed
    )
