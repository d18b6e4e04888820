"""Judging and row making, some documents at a time, by worker processes."""
