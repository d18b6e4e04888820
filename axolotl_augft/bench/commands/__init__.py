"""The commands of `axolotl augft bench`. Heavy imports wait until one runs, so that `--help` stays fast."""
