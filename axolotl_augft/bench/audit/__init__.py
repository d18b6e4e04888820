"""What a teacher wrote -> how much of it is right, sentence by sentence, and which test facts it states."""
