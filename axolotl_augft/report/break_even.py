"""What a run asked and what is trained on -> after how many questions that is cheaper than documents in the prompt.

The unit is the forward pass of one token through the student; see `axolotl_augft.bench.report.cost`, which measures the
same for experiments.
"""

import math
from dataclasses import dataclass

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.output.summary import TrainingLoads, optimizer_steps
from axolotl_augft.teacher.spending import Usage

FORWARD_TOKENS_PER_TRAINED_TOKEN = 3


@dataclass(frozen=True)
class BreakEven:
    """Two ways to let a model answer from documents, in tokens of a forward pass.

    Attributes:
        teacher: What the teacher read and wrote, as if it were of the student's size.
        training: What training costs: a trained token counts 3.
        per_question: All source rows, read with every question.
        questions: After how many questions training is cheaper; None if never, or if a cost is unknown.
    """

    teacher: int | None
    training: int
    per_question: int
    questions: int | None


def break_even(usage: Usage, loads: TrainingLoads, recipe: Recipe) -> BreakEven:
    """Compare augmented fine-tuning with all documents in every prompt.

    Args:
        usage: Tokens of all of the recipe's answers.
        loads: The rows and tokens of one epoch, before and after.
        recipe: The recipe.
    """
    training = FORWARD_TOKENS_PER_TRAINED_TOKEN * _trained_tokens(loads, recipe)
    read, written = usage.prompt_tokens, usage.completion_tokens
    teacher = None if read is None or written is None or usage.without_tokens else read + written
    per_question = loads.before.tokens
    if teacher is None or not per_question:
        return BreakEven(teacher, training, per_question, None)
    return BreakEven(teacher, training, per_question, math.floor((teacher + training) / per_question) + 1)


def _trained_tokens(loads: TrainingLoads, recipe: Recipe) -> int:
    after, training = loads.after, recipe.training
    if not training.max_steps:
        return round(after.tokens * training.num_epochs)
    rows = training.micro_batch_size * training.gradient_accumulation_steps * training.world_size
    row = training.sequence_len if training.sample_packing else after.tokens / max(after.rows, 1)
    return round(optimizer_steps(after, training) * rows * row)
