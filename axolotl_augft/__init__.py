"""Augmented fine-tuning for axolotl: a teacher writes down what follows from the data before the student trains on it.

Only names live here. Axolotl swallows an ImportError of a plugin and then trains unaugmented, so importing this package
must not be able to fail for want of anything but axolotl itself; everything else is imported where it is used.
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
