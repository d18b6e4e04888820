"""Documents and a tokenizer -> the prompt tokens of each strategy, and how many a prefix cache leaves to compute.

Usage: python benchmarks/prefix_share.py MODEL [--data FILE.jsonl] [--block N] [--url URL --requests N]

MODEL is a folder with a chat template. The prompts are those that the stage lays out for a chat teacher. Like vLLM's,
the cache holds whole blocks of tokens, each known by all tokens up to its end; nothing leaves it. Verification is asked
about three statements a sentence: the sentence, its first half and its words in reverse. With --url, a vLLM server of
MODEL is sent the first requests of each strategy, N in all, one at a time, and says how many tokens its cache held. A
salt keeps what it was asked before apart.
"""

import argparse
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex
from typing import Any

import orjson
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import TypeAdapter
from tokenizers import Tokenizer

from axolotl_augft.asking.pacing.pace import Pace
from axolotl_augft.asking.round import Round, RoundCounts
from axolotl_augft.asking.window import ask
from axolotl_augft.config.augment import Augment
from axolotl_augft.config.teacher import TeacherConfig
from axolotl_augft.sources.documents import Document, document_id
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.strategies.make import AllTasks, make_strategy
from axolotl_augft.teacher.client import Server
from axolotl_augft.teacher.request import Request
from axolotl_augft.teacher.teacher import Teacher, resolve_teacher
from axolotl_augft.verifying.questions import Question, Questions

_HANDBOOK = Path(__file__).parents[1] / "example_configs" / "handbook.jsonl"
_STRATEGIES: dict[str, dict[str, Any]] = {
    "local": {"strategy": "local"},
    "local, 96 tokens": {"strategy": "local", "unit_tokens": 96},
    "local, fitting examples": {"strategy": "local", "example_choice": "fitting"},
    "local, questions": {"strategy": "local", "write": "questions"},
    "study": {"strategy": "study"},
    "global": {"strategy": "global"},
}
_VERIFIED = "local"


class _Quiet:
    def update(self, asked: RoundCounts) -> None:
        """Show nothing: the figures come at the end."""


class PromptCache:
    """A prefix cache without end.

    Args:
        model: Folder of the model, for its tokenizer and chat template.
        block: Tokens of a block.
    """

    def __init__(self, model: Path, block: int) -> None:
        self._tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
        lines = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        self._template = lines.from_string((model / "chat_template.jinja").read_text())
        self._block = block
        self._known: set[int] = set()

    def read(self, request: Request) -> "Tokens":
        """Return the tokens of a prompt, and keep its blocks."""
        text = self._template.render(messages=request.body("")["messages"], add_generation_prompt=True)
        tokens = self._tokenizer.encode(text, add_special_tokens=False).ids
        blocks = list(self._chain(tokens))
        # The last token is always computed, because the first of the answer follows from it.
        usable = blocks[: (len(tokens) - 1) // self._block]
        held = next((i for i, block in enumerate(usable) if block not in self._known), len(usable))
        self._known.update(blocks)
        return Tokens(1, len(tokens), held * self._block)

    def _chain(self, tokens: list[int]) -> Iterator[int]:
        state = 0
        for i in range(0, len(tokens) - self._block + 1, self._block):
            state = hash((state, *tokens[i : i + self._block]))
            yield state


@dataclass(frozen=True)
class Tokens:
    """Prompt tokens of some requests, and those of them that the cache held."""

    requests: int = 0
    all: int = 0
    held: int = 0

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(self.requests + other.requests, self.all + other.all, self.held + other.held)

    @property
    def row(self) -> str:
        """The figures as cells of a table."""
        computed = self.all - self.held
        return f"{self.requests:,} | {self.all:,} | {computed:,} | {computed / max(self.all, 1):.2f}"


def laid_out(teacher: Teacher, documents: list[Document], store: ResponseStore) -> dict[str, list[Request]]:
    """Lay out the requests of each strategy, and those that verify what the first one might write."""
    found: dict[str, list[Request]] = {}
    for name, entry in _STRATEGIES.items():
        settings = TypeAdapter[Augment](Augment).validate_python(entry)
        tasks = AllTasks((make_strategy(settings, teacher, documents, "en", store, name),))
        found[name] = [task.request for task in tasks.in_sending_order()]
        if name == _VERIFIED:
            found["verification"] = list(_verifying(tasks, teacher))
    return found


def _verifying(tasks: AllTasks, teacher: Teacher) -> Iterator[Request]:
    words = Questions("chat")

    def asked(question: Question) -> Request:
        return teacher.request(question.prefix, question.target, 1, ())

    for task in tasks.in_document_order():
        for statement in _statements(task.sentences):
            yield asked(words.follows(task.evidence, statement))
            yield asked(words.alone(statement))


def _statements(sentences: Iterable[str]) -> Iterator[str]:
    for sentence in sentences:
        words = sentence.split()
        yield from (sentence, " ".join(words[: 1 + len(words) // 2]), " ".join(reversed(words)))


def ask_server(url: str, requests: list[Request], cache: PromptCache, store: ResponseStore) -> None:
    """Send requests one at a time; print how many tokens the server's cache held, beside what is computed here."""
    server = Server(url, requests[0].teacher_id, 600.0)
    expected = Tokens()
    for request in requests:
        expected += cache.read(request)
        ask([request], Round(server, store, Pace(1, 1), _Quiet()))
    spent = store.spent([r.key for r in requests])
    print(f"computed here: {expected.all:,} tokens, {expected.held:,} held; ", end="")
    print(f"server: {spent.prompt_tokens:,} tokens, {spent.cached_tokens:,} held ({spent.answers} answers)")


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, default=_HANDBOOK)
    parser.add_argument("--block", type=int, default=16)
    parser.add_argument("--url")
    parser.add_argument("--name", default="", help="the model's name at the server")
    parser.add_argument("--requests", type=int, default=32)
    arguments = parser.parse_args()
    teacher = resolve_teacher(
        TeacherConfig(
            model=str(arguments.model),
            id=arguments.name or None,
            api="chat",
            base_url=arguments.url,
            temperature=0,
            extra_body={"cache_salt": token_hex(8), "seed": None},
        ),
        base_model="",
        seed=0,
        model_stamps=[],
    )
    texts = [orjson.loads(line)["text"] for line in arguments.data.read_bytes().splitlines()]
    documents = [Document(document_id(text), text, 0, i) for i, text in enumerate(dict.fromkeys(texts))]
    with tempfile.TemporaryDirectory() as folder, ResponseStore.opened(Path(folder) / "store") as store:
        found = laid_out(teacher, documents, store)
        print("| strategy | requests | prompt tokens | computed with a cache | share |\n|---|---:|---:|---:|---:|")
        for name, requests in found.items():
            cache = PromptCache(arguments.model, arguments.block)
            print(f"| {name} | {sum((cache.read(r) for r in requests), Tokens()).row} |", flush=True)
        if arguments.url:
            first = [r for requests in found.values() for r in requests[: arguments.requests // len(found)]]
            short = [replace(r, sampling=replace(r.sampling, max_tokens=1)) for r in first]
            ask_server(arguments.url, short, PromptCache(arguments.model, arguments.block), store)


if __name__ == "__main__":
    main()
