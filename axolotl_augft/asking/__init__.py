"""Requests that the store does not answer -> stored answers, sent directly or in batches, within a budget."""
