"""The genres in which a document is written anew, and what the teacher is asked for before that."""
