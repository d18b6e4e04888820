"""What a single value, or any block, of the settings may be."""
