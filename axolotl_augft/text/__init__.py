"""Text -> sentences, tokens, words and similarity scores; independent of the rest of the project."""
