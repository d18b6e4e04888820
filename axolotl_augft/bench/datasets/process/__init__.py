"""The process knowledge data set."""
