"""How fast core13-mcp is, measured beside its peers. `scripts/bench` runs it."""
