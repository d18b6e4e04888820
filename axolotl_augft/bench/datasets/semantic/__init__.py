"""The semantic structure data set."""
