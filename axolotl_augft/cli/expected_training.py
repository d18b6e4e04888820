"""Prepared stage -> rows, tokens and optimizer steps of the training, as far as they are known before it is asked."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from axolotl_augft.errors import ConfigError
from axolotl_augft.formats.content import Text
from axolotl_augft.judging.rules import Judged
from axolotl_augft.marks import Marks
from axolotl_augft.output.manifest import Load, Manifest
from axolotl_augft.output.mixture import Group, group_lines, mixture_lines, repeats
from axolotl_augft.output.replayed import draw
from axolotl_augft.output.student import Student
from axolotl_augft.output.summary import TrainingLoads, too_long_lines, training_lines, training_loads
from axolotl_augft.prepared import Prepared
from axolotl_augft.sources.source import Source, text_of
from axolotl_augft.text.sentences import split_sentences
from axolotl_augft.text.tokens import SampledCount

_UNKNOWN_YET = "  (augmentations as far as they are answered already; the rest is not known before it is written)"


def expected_training(ready: Prepared, result: Manifest | None, marks: Marks) -> list[str]:
    """Format the training load: of the result if it is there, else of the sources and of what is answered already.

    Args:
        ready: The prepared stage.
        result: The recipe's result, None if it is still to be made.
        marks: The marks made by hand, which are applied without a result.
    """
    recipe = ready.recipe
    if result is not None:
        return [
            *too_long_lines(result.counts.too_long, recipe.training.sequence_len),
            *training_lines(training_loads(result, recipe), recipe.training, result.exact_tokens),
            *mixture_lines(result, recipe),
        ]
    expected = _Expected()
    for source in ready.sources:
        expected.add_source(source, ready)
    expected.add_augmented(ready, marks)
    lines = expected.lines(ready)
    return [*lines, _UNKNOWN_YET] if ready.tasks.ask else lines


@dataclass
class _Expected:
    """Running totals of what would be trained on, each row once.

    Attributes:
        before: All source rows, as they are.
        source: The source rows of augmented entries, as they would be trained on.
        others: The rows of other entries.
        augmented: The augmentations that the stored answers yield.
        too_long: Texts of more tokens than `sequence_len`, by kind.
        sampled: Not all texts were tokenized.
    """

    before: Load = field(default_factory=Load)
    source: Load = field(default_factory=Load)
    others: Load = field(default_factory=Load)
    augmented: Load = field(default_factory=Load)
    too_long: Counter[str] = field(default_factory=Counter)
    sampled: bool = False

    def add_source(self, source: Source, ready: Prepared) -> None:
        config, student = ready.recipe.augft, ready.student
        tokens, trained = SampledCount(student.tokens), SampledCount(student.tokens)
        split = source.is_text and config.sentence_splitting != "none"
        rows = 0
        for _, content in source.training_contents():
            text = text_of(content)
            self.too_long["original"] += tokens.add(text) > ready.recipe.training.sequence_len
            rows += len(split_sentences(text, config.language)) if split else 1
            if _has_shares(ready):
                trained.add(*student.trained_texts(content))
        self.sampled = self.sampled or tokens.counted < tokens.texts
        own = Load(len(source.training_rows), tokens.total, trained.total + trained.texts)
        self.before += own
        own = Load(rows, own.tokens, own.trained) if split else own
        if source.format is None:
            self.others += own
        elif config.include_original:
            self.source += own

    def add_augmented(self, ready: Prepared, marks: Marks) -> None:
        count = ready.student.tokens.count
        for judged in _kept(ready, marks):
            tokens = count(judged.inference.full_text)
            self.augmented += Load(1, tokens, _trained(judged, ready.student) if _has_shares(ready) else 0)
            name = f"{judged.task.strategy}/{judged.inference.kind}"
            self.too_long[name] += tokens > ready.recipe.training.sequence_len

    def lines(self, ready: Prepared) -> list[str]:
        recipe, student = ready.recipe, ready.student
        source = Group("source", self.source, self.source.times(recipe.augft.repeat_original))
        augmented = Group("augmented", self.augmented, self.augmented.times(recipe.augft.repeat_augmented))
        groups, remarks = [source, Group("not augmented", self.others, self.others), augmented], list[str]()
        if recipe.augft.mix is not None and self.augmented.trained:
            try:
                found = repeats(self.source.trained, self.augmented.trained, recipe.augft.mix)
                groups[0] = Group("source", self.source, self.source.times(found.source))
                groups[2] = Group("augmented", self.augmented, self.augmented.times(found.augmented))
            except ConfigError as error:
                remarks.append(f"with the augmentations so far, {error}")
        replay = _replay(ready, sum(group.load.trained for group in groups), remarks)
        loads = TrainingLoads(self.before, groups[0].load + groups[1].load, groups[2].load, replay.load)
        exact = student.tokens.exact and not self.sampled
        return [
            *training_lines(loads, recipe.training, exact),
            *too_long_lines(self.too_long, recipe.training.sequence_len),
            *(group_lines([*groups, replay]) if _has_shares(ready) else []),
            *(f"  ({remark})" for remark in remarks),
        ]


def _has_shares(ready: Prepared) -> bool:
    return ready.recipe.augft.mix is not None or ready.replay is not None


def _replay(ready: Prepared, others: int, remarks: list[str]) -> Group:
    config = ready.recipe.augft.replay
    if ready.replay is None or config is None:
        return Group("replay", Load(), Load())
    try:
        drawn = draw(ready.replay, config.share, others, ready.student, ready.recipe)
    except ConfigError as error:
        remarks.append(str(error))
        return Group("replay", Load(), Load())
    return Group("replay", drawn.load, drawn.load.times(drawn.times))


def _trained(judged: Judged, student: Student) -> int:
    inference = judged.inference
    content = inference.content if judged.task.question_form is None else Text(inference.full_text)
    return student.tokens_with_ends(student.trained_texts(content))


def _kept(ready: Prepared, marks: Marks) -> Iterator[Judged]:
    """Yield the augmentations that are known: those of the stored answers, and those that no teacher is asked for.

    Skips the pass over the data if there are none.
    """
    if not ready.store.is_empty or not ready.tasks.ask_only:
        yield from (j for j in marks.apply(ready.verdicts_so_far().judged) if j.rejected is None)
