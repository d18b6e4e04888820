"""Texts -> a student of less than a million parameters that has learnt them; questions -> which it answers right.

A plain training loop in this process: loading axolotl and lm_eval for each of many such students would take longer than
to train and score them. What is trained on and how the choice is made is the same: the next token of whole texts, each
row for itself, and the likeliest of the choices, which are not shown.
"""

import math
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from half_known import CHAT_TEMPLATE, HalfKnown, Lesson
from transformers import AutoModelForCausalLM, AutoTokenizer

from axolotl_augft.bench.datasets.dataset import Question
from axolotl_augft.bench.report.results import Score

sys.path.insert(0, str(Path(__file__).parents[1]))
from tiny_student import write_student

STEPS_BEFORE, RATE_BEFORE, HIDDEN_SIZE = 500, 4e-3, 64
BATCH = 16
_BATCHES_OF_SIMILAR_LENGTH = 8
_WARMUP = 0.03


@dataclass(frozen=True, slots=True)
class Encoded:
    """A row's tokens, and where what is learnt of them begins."""

    ids: list[int]
    start: int


def taught(folder: Path, world: HalfKnown) -> Path:
    """Return the folder of the student that was taught about half of the people; made if it is not there."""
    done, untrained = folder / "student", folder / "untrained"
    if not done.exists():
        write_student(untrained, world.words, HIDDEN_SIZE, world.data.seed)
        (untrained / "chat_template.jinja").write_text(CHAT_TEMPLATE)
        train(untrained, world.before, STEPS_BEFORE, RATE_BEFORE, world.data.seed).save(done)
    return done


def train(base: Path, rows: Sequence[Lesson], steps: int, rate: float, seed: int) -> "Student":
    """Train all weights of a model."""
    student = Student(base)
    torch.manual_seed(seed)
    optimizer = torch.optim.AdamW(student.model.parameters(), lr=rate, weight_decay=0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _cosine(step, steps))
    student.model.train()
    batches = _batches([student.encoded(row) for row in rows], random.Random(seed))
    for _ in range(steps):
        student.loss(next(batches)).backward()
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    return student


def _cosine(step: int, steps: int) -> float:
    warmup = max(1, round(_WARMUP * steps))
    return min((step + 1) / warmup, (1 + math.cos(math.pi * step / steps)) / 2)


def _batches(rows: Sequence[Encoded], rng: random.Random) -> Iterator[list[Encoded]]:
    """Yield batches without end, of rows in random order; rows of similar length share a batch, which saves padding."""
    order: list[Encoded] = []
    while True:
        while len(order) < BATCH * _BATCHES_OF_SIMILAR_LENGTH:
            order += rng.sample(rows, len(rows))
        some = sorted(order[: BATCH * _BATCHES_OF_SIMILAR_LENGTH], key=lambda row: len(row.ids))
        del order[: len(some)]
        batches = [some[start : start + BATCH] for start in range(0, len(some), BATCH)]
        yield from rng.sample(batches, len(batches))


class Student:
    """A model and its tokenizer.

    Attributes:
        model: The model.
    """

    def __init__(self, folder: Path) -> None:
        self.model = AutoModelForCausalLM.from_pretrained(folder)
        self._tokenizer = AutoTokenizer.from_pretrained(folder)

    def encoded(self, row: Lesson) -> Encoded:
        """Return a row's tokens, with the one that ends a text."""
        ids = [*self._tokenizer(row.prompt + row.told)["input_ids"], self._tokenizer.eos_token_id]
        return Encoded(ids, len(self._tokenizer(row.prompt)["input_ids"]))

    def loss(self, rows: Sequence[Encoded]) -> torch.Tensor:
        """Return the mean loss of what is learnt of some rows."""
        ids = self._padded([row.ids for row in rows])
        places = torch.arange(ids.shape[1])
        learnt = torch.stack([(places >= row.start) & (places < len(row.ids)) for row in rows])[:, 1:]
        hidden = self.model.model(ids).last_hidden_state[:, :-1]
        # Most tokens are those of questions: what comes after them need not be computed.
        return torch.nn.functional.cross_entropy(self.model.lm_head(hidden[learnt]), ids[:, 1:][learnt])

    def _padded(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        # Padding stands behind all else, so that no token that counts sees it.
        longest, pad = max(map(len, rows)), self._tokenizer.pad_token_id
        return torch.tensor([[*row, *[pad] * (longest - len(row))] for row in rows])

    def save(self, folder: Path) -> None:
        """Write the model's folder, as servers read it."""
        self.model.save_pretrained(folder)
        self._tokenizer.save_pretrained(folder)

    def scores(self, questions: Sequence[Question]) -> tuple[Score, ...]:
        """Score the choices of questions."""
        self.model.eval()
        return tuple(map(self._score, questions))

    @torch.inference_mode()
    def _score(self, question: Question) -> Score:
        rows = [self._tokenizer(f"{question.prompt} {choice}")["input_ids"] for choice in question.choices]
        prompt, ids = len(self._tokenizer(question.prompt)["input_ids"]), self._padded(rows)
        told = self.model(ids).logits.log_softmax(dim=-1)
        sums = [sum(told[i, at - 1, row[at]].item() for at in range(prompt, len(row))) for i, row in enumerate(rows)]
        return Score(
            question.id, question.split, question.subset, question.answer,
            tuple(round(value, 3) for value in sums), tuple(len(choice.encode()) for choice in question.choices),
        )  # fmt: skip
