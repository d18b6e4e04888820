"""Config files -> lines on the terminal: the commands of `axolotl augft …`."""
