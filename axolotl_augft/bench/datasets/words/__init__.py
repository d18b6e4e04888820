"""Nonsense words, and whether words alone answer a question."""
