"""What comes with the program: what is locked, and what is told of it."""
