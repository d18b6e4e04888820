"""A premise that is too long for a model -> passages that fit, cut at sentence ends."""

from collections.abc import Callable, Iterator

from axolotl_augft.text.sentences import split_at_sentences


def passages(premise: str, room: int, count: Callable[[str], int]) -> tuple[str, ...]:
    """Cut a text into passages of at most `room` tokens, as measured by `count`.

    A sentence above that is cut at white space near its middle, again and again; one without white space, at its
    middle.
    """
    return tuple(
        piece for part in split_at_sentences(premise, room, count) for piece in _pieces(part, max(room, 1), count)
    )


def _pieces(text: str, room: int, count: Callable[[str], int]) -> Iterator[str]:
    if len(text) < 2 or count(text) <= room:
        yield text
        return
    middle = len(text) // 2
    place = text.rfind(" ", 1, middle + 1)
    halves = (text[:place], text[place + 1 :]) if place > 0 else (text[:middle], text[middle:])
    for half in halves:
        yield from _pieces(half, room, count)
