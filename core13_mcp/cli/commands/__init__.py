"""One module for each command, which is imported when the command runs."""
