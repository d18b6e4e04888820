"""A function of texts -> the same function, which remembers what it returned for the last ones."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Remembered(dict[str, T]):
    """What a function returns for each text: `remembered[text]`.

    Unlike `functools.lru_cache`, it is looked up without a call, which matters for words. It forgets everything when it
    is full.

    Args:
        function: The function.
        most: Number of texts that are remembered.
        longest: Texts with more characters are not remembered.
    """

    def __init__(self, function: Callable[[str], T], most: int, longest: int) -> None:
        self._function = function
        self._most = most
        self._longest = longest

    def __missing__(self, text: str) -> T:
        value = self._function(text)
        if len(text) <= self._longest:
            if len(self) >= self._most:
                self.clear()
            self[text] = value
        return value
