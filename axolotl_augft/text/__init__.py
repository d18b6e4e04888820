"""Language, and nothing of the project: sentences, tokens, words, similarity."""
