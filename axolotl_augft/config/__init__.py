"""An axolotl config -> validated settings: the `augft:` block, and what else of the config the stage reads."""
