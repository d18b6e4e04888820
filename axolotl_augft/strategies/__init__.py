"""Documents -> tasks: each strategy decides what to ask the teacher model about them."""
