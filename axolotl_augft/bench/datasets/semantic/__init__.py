"""A seed -> the semantic structure data set."""
