"""Fault injection for tests of clients; loaded by `core13-mcp sandbox --faults` only."""
