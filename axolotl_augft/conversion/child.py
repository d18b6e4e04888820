"""Document files -> their titles and blocks, converted in child processes with limits of memory and time.

The libraries that read documents unpack and parse what strangers wrote: a PDF of 2 KB can ask for gigabytes, a DOCX can
keep a parser busy for hours, and a fault in native code ends its process. All that may happen to the child, never to
the run, which goes on with the next file in a new child. The child gets no key: of the environment it sees only what
Python needs.
"""

import json
import os
import resource
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Lock
from types import TracebackType

import orjson

import axolotl_augft
from axolotl_augft.conversion.blocks import MOST_BYTES, Block, Converted, Unusable, too_large
from axolotl_augft.conversion.convert import convert
from axolotl_augft.workers.in_order import in_order

_PASSED_ON = ("LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "PYTHONHOME", "VIRTUAL_ENV")
_CODE = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from {module} import main; main(int(sys.argv[2]))"
# An answer is JSON, in which a control sign or quotation mark takes more than a byte.
_LONGEST_ANSWER = 4 * MOST_BYTES


@dataclass(frozen=True)
class Limits:
    """What the conversion of one file may use.

    Attributes:
        memory: Address space of the child, in bytes.
        seconds: Time for one file.
    """

    memory: int = 2_000_000_000
    seconds: float = 300.0


class Converter:
    """Converts files in a child process, which starts with the first file and ends with the `with` block."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._child: subprocess.Popen[bytes] | None = None
        self._starting = Lock()
        self._converting = Lock()
        self._is_over = False

    def __enter__(self) -> "Converter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A thread with further files must not start a child that nobody ends.
        with self._starting:
            self._is_over = True
        if child := self._child:
            child.kill()
        # A thread that waits for its pipe would not be told that the pipe is closed, only that the child ended.
        with self._converting:
            self._end()

    def convert(self, file: Path) -> Converted:
        """Convert a file, whose suffix must be in `CONVERTERS`.

        Raises:
            Unusable: As `convert` does, or the file needs more memory or time than the limits, or crashes its library.
        """
        with self._converting:
            line = self._ask(file)
        return _read(orjson.loads(line))

    def _ask(self, file: Path) -> bytes:
        """Read the child's answer about a file, and end the child if there is none."""
        child = self._child or self._start()
        assert child.stdin is not None
        try:
            with suppress(BrokenPipeError):
                child.stdin.write(os.fsencode(file.absolute()).hex().encode() + b"\n")
                child.stdin.flush()
            line = self._line(child)
        except Unusable:
            self._end()
            raise
        if not line.endswith(b"\n"):
            raise Unusable(self._cause_of_death())
        return line

    def _start(self) -> subprocess.Popen[bytes]:
        # The same modules as here, but none from the working directory, where a json.py may lie.
        path = [*filter(None, sys.path), str(Path(axolotl_augft.__file__).parents[1])]
        with self._starting:
            if self._is_over:
                raise Unusable("not converted, because the run ends")
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-c", _CODE.format(module=__name__), json.dumps(path), str(self._limits.memory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            )
        return self._child

    def _line(self, child: subprocess.Popen[bytes]) -> bytes:
        """Read the child's answer; without a line break at its end if the child has died.

        Raises:
            Unusable: It takes too long, or is too large.
        """
        assert child.stdout is not None
        deadline = time.monotonic() + self._limits.seconds
        answer = bytearray()
        with selectors.DefaultSelector() as ready:
            ready.register(child.stdout, selectors.EVENT_READ)
            while not answer.endswith(b"\n"):
                if not ready.select(max(deadline - time.monotonic(), 0)):
                    raise Unusable(f"takes more than {self._limits.seconds:g} s to convert; split it")
                read = os.read(child.stdout.fileno(), 1 << 20)
                if not read:
                    break
                answer += read
                if len(answer) > _LONGEST_ANSWER:
                    raise Unusable(too_large())
        return bytes(answer)

    def _cause_of_death(self) -> str:
        assert self._child is not None
        self._child.wait()
        code, self._child = self._child.returncode, None
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"broken, or needs more than {self._limits.memory / 1e9:g} GB of memory (its reader ended with {how})"

    def _end(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None


class Converters:
    """Child processes that convert files, which end with the `with` block.

    Args:
        processes: Number of child processes.
    """

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._threads = ThreadPoolExecutor(processes)
        self._idle: SimpleQueue[Converter] = SimpleQueue()
        self._stack = ExitStack()

    def __enter__(self) -> "Converters":
        # Once the children have ended, what the threads still do ends too.
        self._stack.callback(self._threads.shutdown, cancel_futures=True)
        for _ in range(self._processes):
            self._idle.put(self._stack.enter_context(Converter()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def convert(self, files: Iterable[Path]) -> Iterator[Converted | Unusable]:
        """Yield what each file holds, or why it cannot be used, in the order of the files."""
        started = in_order(lambda file: self._threads.submit(self._one, file), files, self._processes)
        return (future.result() for future in started)

    def _one(self, file: Path) -> Converted | Unusable:
        converter = self._idle.get()
        try:
            return converter.convert(file)
        except Unusable as error:
            return error
        finally:
            self._idle.put(converter)


def _read(answer: dict[str, object]) -> Converted:
    if "unusable" in answer:
        raise Unusable(str(answer["unusable"]))
    blocks = answer["blocks"]
    assert isinstance(blocks, list)
    return Converted(str(answer["title"]), tuple(Block(**block) for block in blocks), str(answer["note"]))


def _answer(file: Path) -> bytes:
    try:
        converted = convert(file)
        if sum(len(block.text) for block in converted.blocks) > MOST_BYTES:
            raise Unusable(too_large())
        return orjson.dumps(asdict(converted))
    except Unusable as error:
        return orjson.dumps({"unusable": str(error)})
    except TypeError:
        return orjson.dumps({"unusable": "broken (it holds half characters)"})


def main(memory: int) -> None:
    """Be the child: answer each path on standard input with a line of JSON on standard output.

    Args:
        memory: Limit on the address space, in bytes.
    """
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # What a library prints must not get between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for line in sys.stdin.buffer:
        answers.write(_answer(Path(os.fsdecode(bytes.fromhex(line.decode())))) + b"\n")
        answers.flush()
