"""A key -> a value that is made once, kept in a temporary file, and for a while in memory."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from axolotl_augft.files.record_file import RecordFile

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass
class MadeOnce(Generic[K, V]):
    """Values that take longer to make than to read.

    Attributes:
        dump: Turns a value into bytes.
        load: Turns the bytes into the value again.
        most: Bytes of values, as `dump` returns them, that are kept in memory.
    """

    dump: Callable[[V], bytes]
    load: Callable[[bytes], V]
    most: int
    _file: RecordFile = field(default_factory=RecordFile)
    _numbers: dict[K, int] = field(default_factory=dict)
    _recent: OrderedDict[K, tuple[V, int]] = field(default_factory=OrderedDict)
    _size: int = 0

    def get(self, key: K, make: Callable[[], V]) -> V:
        """Return the value of a key.

        Args:
            key: The key.
            make: Makes the value, if it was never asked for.

        Raises:
            OutputError: The temporary folder is full or cannot be written.
        """
        if (kept := self._recent.get(key)) is not None:
            self._recent.move_to_end(key)
            return kept[0]
        if (number := self._numbers.get(key)) is not None:
            record = self._file[number]
            value = self.load(record)
        else:
            value = make()
            record = self.dump(value)
            self._numbers[key] = self._file.add(record)
        self._keep(key, value, len(record))
        return value

    def _keep(self, key: K, value: V, size: int) -> None:
        self._recent[key] = value, size
        self._size += size
        while self._size > self.most and len(self._recent) > 1:
            self._size -= self._recent.popitem(last=False)[1][1]
