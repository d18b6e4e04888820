"""A teacher that is always right: the closure of a data set's facts behind HTTP."""
