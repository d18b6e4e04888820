"""The `verify:` block -> the model that is asked, if it is not the teacher."""

from axolotl_augft.config.teacher import TeacherConfig
from axolotl_augft.config.verify import VerifyConfig
from axolotl_augft.files.fingerprints import FileStamp
from axolotl_augft.teacher.entailment.settings import EntailmentModel
from axolotl_augft.teacher.teacher import Teacher, entailment_teacher, resolve_teacher


def verifying_model(config: VerifyConfig, teacher: TeacherConfig, seed: int, stamps: list[FileStamp]) -> Teacher:
    """Resolve the model that `by` names.

    Args:
        config: The `verify:` block; `by` is not the teacher.
        teacher: The `teacher:` block, whose time limits hold for an entailment model, too.
        seed: The recipe's seed.
        stamps: Stamps of the model's files; empty unless it is a local folder.

    Raises:
        ConfigError: `by` names no model.
    """
    by = config.by
    assert by is not None
    if config.method != "entailment":
        return resolve_teacher(by, "", seed, stamps)
    label = None if config.entailment_label is None else str(config.entailment_label)
    model = EntailmentModel(
        by.model or "", label, config.entailment_template, config.entailment_max_length, config.entailment_device
    )
    return entailment_teacher(model, teacher, stamps)
