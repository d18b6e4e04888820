"""What the student knows before it is trained, so that the teacher is asked about the rest only."""
