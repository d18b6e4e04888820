"""The command line: `axolotl augft …`."""
