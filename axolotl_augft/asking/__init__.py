"""Requests without an answer -> answers in the store: at once or in batches, within a budget."""
