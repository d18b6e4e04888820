"""The response store: answers, runs and open batches in one SQLite file, and the lock of who may ask."""
