"""What is wrong with a set-up, and how to put it right. Reads and asks; never changes anything anywhere."""
