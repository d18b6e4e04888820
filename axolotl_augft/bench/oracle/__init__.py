"""A data set's facts -> a teacher that is always right, served over HTTP."""
