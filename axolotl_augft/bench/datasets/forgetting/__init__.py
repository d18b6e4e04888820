"""Small general tasks, which tell what training on something else makes a model forget."""
