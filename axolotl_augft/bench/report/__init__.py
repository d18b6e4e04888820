"""Results -> tables, figures and costs; the reach of context groups."""
