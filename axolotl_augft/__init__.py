"""Augmented fine-tuning for axolotl: a teacher writes down what follows from the data before the student trains on it.

This module imports only `typing`. Axolotl swallows a plugin's ImportError and then trains without augmentation, so
importing the package must not fail unless axolotl itself is missing. Everything else is imported where it is used.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["AugFTPlugin", "__version__"]

if TYPE_CHECKING:
    from axolotl_augft.plugin import AugFTPlugin


def __getattr__(name: str) -> Any:
    if name == "AugFTPlugin":
        from axolotl_augft.plugin import AugFTPlugin

        return AugFTPlugin
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
