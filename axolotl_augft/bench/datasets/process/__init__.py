"""A seed -> the process knowledge data set."""
