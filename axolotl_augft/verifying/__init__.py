"""Statements that passed the rules of form -> those that a model finds true, understandable alone, and new."""
