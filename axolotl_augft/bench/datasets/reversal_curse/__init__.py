"""The reversal-curse data set."""
