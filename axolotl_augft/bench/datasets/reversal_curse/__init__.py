"""The published files -> the reversal-curse data set."""
