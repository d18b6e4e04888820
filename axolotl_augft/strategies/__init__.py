"""What is asked: strategies turn documents into tasks, each with its request."""
