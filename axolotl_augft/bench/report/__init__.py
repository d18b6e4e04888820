"""Results -> tables, figures, costs; audits of what a teacher writes; the reach of context groups."""
