"""Models that a server serves already, and that the bench asks: to read sentences, to write and try out questions."""
