"""A number of questions -> the places of their right choices, each place equally often."""

import random


def balanced_places(count: int, size: int, rng: random.Random) -> list[int]:
    """Draw the places of `count` right choices among `size` choices.

    Each place occurs `count / size` times, rounded down or up; the order is random.
    """
    places = [i % size for i in range(count)]
    rng.shuffle(places)
    return places
