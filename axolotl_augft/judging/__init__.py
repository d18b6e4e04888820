"""Answers of the teacher model -> inferences, each kept or rejected with a reason."""
