"""Data set entries -> source rows, held-out rows and documents."""
