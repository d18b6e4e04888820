"""Processes that share the stage's work."""
