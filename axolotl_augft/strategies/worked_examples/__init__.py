"""The worked examples that prompts show: the package's own, and which of them a request gets."""
