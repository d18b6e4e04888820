"""Answers -> inferences, kept or rejected with a reason."""
