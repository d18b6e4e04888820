"""Nonsense words for the data sets, and a check that words alone do not answer the questions."""
