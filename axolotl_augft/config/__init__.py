"""Settings: the `augft:` block and what else the stage reads of an axolotl config."""
