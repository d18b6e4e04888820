"""Results -> tables, figures and costs; audits of a teacher's statements; the reach of context groups."""
