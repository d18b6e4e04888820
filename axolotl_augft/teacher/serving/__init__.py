"""A teacher -> a server that answers: an address, or a child process that is started for the run."""
