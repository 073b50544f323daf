"""The API's operations, with the rules for what they store."""
