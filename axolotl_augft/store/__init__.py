"""Answers -> the response store: one SQLite file, which also keeps past rounds and open batches; and its lock."""
